"""No answer tells a stranger whether an address has an account (AUT-1, AUT-2)."""

import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import passwords
from app.accounts.codes import MOST_ATTEMPTS
from app.accounts.even_time import EVEN_SECONDS
from app.accounts.models import User
from core.testclient import AsyncTestClient
from tests.app.accounts.people import NEW_PASSWORD, add_person, ask_for_log_in, ask_for_reset, log_in, sign_up

Statements = Callable[[], AbstractContextManager[list[str]]]
Step = Callable[[AsyncTestClient, str], Awaitable[Any]]

ADDRESSES = ("known@example.com", "other@example.com", "claim@example.com", "taken@example.com", "lockd@example.com")


async def _sign_up(client: AsyncTestClient, email: str) -> Any:
    return await sign_up(client, email=email)


async def _log_in(client: AsyncTestClient, email: str) -> Any:
    return await log_in(client, email=email, password=NEW_PASSWORD)


async def _forget(client: AsyncTestClient, email: str) -> Any:
    return await ask_for_reset(client, email)


async def _ask_for_code(client: AsyncTestClient, email: str) -> Any:
    return await ask_for_log_in(client, email)


async def _type_wrong_code(client: AsyncTestClient, email: str) -> Any:
    await ask_for_log_in(client, email)
    for _ in range(MOST_ATTEMPTS):
        await client.post("/log-in/code/sent", data={"code": "not a code 0"})
    return await client.post("/log-in/code/sent", data={"code": "not a code 0"})


async def _send_again(client: AsyncTestClient, email: str) -> Any:
    return await client.post("/verify-email/again")


@pytest.fixture
async def accounts(client: AsyncTestClient, db: AsyncSession) -> None:
    """An account, no account, an unproved claim, an account that somebody else claims as well, and a locked account."""
    await add_person(db, "Known", ADDRESSES[0])
    await sign_up(client, email=ADDRESSES[2])
    await add_person(db, "Taken", ADDRESSES[3])
    await sign_up(client, email=ADDRESSES[3])
    locked = await add_person(db, "Locked", ADDRESSES[4])
    await db.execute(update(User).where(User.id == locked.id).values(status="locked"))
    client.cookies.clear()


@pytest.mark.requirement("AUT-1", "AUT-2")
@pytest.mark.parametrize("step", [_sign_up, _log_in, _forget, _ask_for_code, _type_wrong_code])
async def test_every_address_gets_the_same_answer_for_the_same_work(
    client: AsyncTestClient, accounts: None, statements: Statements, step: Step
) -> None:
    answers, work = [], []
    for address in ADDRESSES:
        with statements() as executed:
            response = await step(client, address)
        page = await client.get(response.headers["location"]) if response.is_redirect else response
        answers.append((response.status_code, _names(response), page.status_code, _names(page), _text(page, address)))
        work.append([_shape(statement) for statement in executed])
        client.cookies.clear()

    assert all(answer == answers[0] for answer in answers)
    assert all(statements == work[0] for statements in work), "\n".join(map(str, work))


@pytest.mark.requirement("AUT-1", "AUT-2")
async def test_asking_again_takes_the_same_work_for_owned_and_free_addresses(
    client: AsyncTestClient, accounts: None, statements: Statements
) -> None:
    work = []
    for address in ADDRESSES[:2]:
        await sign_up(client, email=address)
        with statements() as executed:
            response = await _send_again(client, address)
        assert response.headers["location"] == "/verify-email/sent"
        work.append([_shape(statement) for statement in executed])
        client.cookies.clear()

    assert work[0] == work[1]


@pytest.mark.requirement("AUT-2")
@pytest.mark.parametrize("step", [_sign_up, _log_in, _forget, _ask_for_code])
async def test_every_address_costs_the_same_number_of_hashes(
    client: AsyncTestClient, accounts: None, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    hasher = CountingHasher()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    counts = []
    for address in ADDRESSES:
        hasher.calls = 0
        await step(client, address)
        counts.append(hasher.calls)
        client.cookies.clear()

    assert counts == [counts[0]] * len(ADDRESSES)
    assert (counts[0] > 0) is (step in (_sign_up, _log_in))


@pytest.mark.requirement("AUT-2")
@pytest.mark.parametrize("step", [_forget, _ask_for_code, _send_again])
async def test_mail_that_is_asked_for_is_answered_for_no_address_sooner_than_for_another(
    client: AsyncTestClient, accounts: None, step: Step
) -> None:
    for address in ADDRESSES[:2]:
        await sign_up(client, email=address)
        began = time.monotonic()
        await step(client, address)
        assert time.monotonic() - began >= EVEN_SECONDS
        client.cookies.clear()


class CountingHasher(PasswordHasher):
    """The product's own hasher, counting."""

    calls = 0

    def __init__(self) -> None:
        super().__init__(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.calls += 1
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.calls += 1
        return super().verify(hash, password)


def _names(response: Any) -> list[str]:
    return sorted(response.headers)


def _text(page: Any, address: str) -> str:
    """The page without what differs from request to request, or is the address itself."""
    masked = address.replace(address.partition("@")[0], f"{address[0]}•••")
    text = re.sub(r'nonce="[^"]*"', "", page.text)
    return str(text.replace(address, "").replace(masked, ""))


def _shape(statement: str) -> str:
    """A statement by its verb and table."""
    return " ".join(re.sub(r"\s+", " ", statement).split()[:3])

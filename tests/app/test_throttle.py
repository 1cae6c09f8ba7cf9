"""Rate limits: exact under load, shared by all processes, harmless to those who are not meant."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, throttle
from app.database import Database
from app.throttle import Limit, RateLimit, TooManyRequests, hit, network_of
from tests.app.locks import lock_waits

BY_NETWORK = Limit("log_in.network", "203.0.113.7", 3, 60)


async def is_allowed(database: Database, *limits: Limit) -> bool:
    try:
        await hit(database, *limits)
    except TooManyRequests:
        return False
    return True


async def test_a_limit_allows_its_number_and_refuses_the_next(database: Database) -> None:
    assert [await is_allowed(database, BY_NETWORK) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.requirement("THR-1", "THR-3")
async def test_a_burst_of_two_hundred_at_once_never_passes_the_limit(fresh_database: Database) -> None:
    limits = [Limit("burst.account", "ada", 20, 60), Limit("burst.network", "203.0.113.7", 50, 60)]

    answers = await asyncio.gather(*(is_allowed(fresh_database, *limits) for _ in range(200)))

    assert sum(answers) == 20


@pytest.mark.parametrize("turned", [False, True])
async def test_limits_given_in_any_order_never_wait_for_each_other(fresh_database: Database, turned: bool) -> None:
    pair = [Limit("order.one", "a", 9, 60), Limit("order.two", "b", 9, 60)]
    await hit(fresh_database, *pair)
    orders = [pair[::-1], pair] if turned else [pair, pair[::-1]]

    async with asyncio.timeout(20), asyncio.TaskGroup() as group, fresh_database.transaction() as db:
        # Both hits come to stand before the row that every statement must lock first, then it is set free.
        await db.execute(text("SELECT 1 FROM rate_limits ORDER BY key LIMIT 1 FOR UPDATE"))
        for number, limits in enumerate(orders, 1):
            group.create_task(hit(fresh_database, *limits))
            await lock_waits(fresh_database, number)

    async with fresh_database.transaction() as db:
        assert (await db.scalars(select(RateLimit.hits))).all() == [3, 3]


@pytest.mark.requirement("THR-5")
async def test_a_refusal_says_when_there_is_room_again_and_keeps_its_word(database: Database) -> None:
    for _ in range(3):
        await hit(database, BY_NETWORK)
    with clock.travel(timedelta(seconds=20)):
        with pytest.raises(TooManyRequests) as refused:
            await hit(database, BY_NETWORK)

        assert refused.value.status_code == 429
        assert 39 <= refused.value.retry_after <= 40
        assert refused.value.headers == {"retry-after": str(refused.value.retry_after)}
        with clock.travel(timedelta(seconds=refused.value.retry_after)):
            assert await is_allowed(database, BY_NETWORK)


async def test_what_one_limit_refuses_does_not_use_up_the_other(database: Database) -> None:
    """An attacker whose network is refused cannot lock the owner of the account out (they come from elsewhere)."""
    account = Limit("log_in.account", "ada@example.com", 5, 60)
    for _ in range(50):
        await is_allowed(database, BY_NETWORK, account)

    elsewhere = Limit("log_in.network", "198.51.100.1", 3, 60)
    assert await is_allowed(database, elsewhere, account)


@pytest.mark.requirement("THR-3")
async def test_the_count_survives_the_rollback_of_the_request(fresh_database: Database) -> None:
    async def request_that_fails() -> None:
        async with fresh_database.transaction() as db:
            await hit(fresh_database, BY_NETWORK)
            await db.execute(text("SELECT 1"))
            raise ConnectionResetError

    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            await request_that_fails()

    assert not await is_allowed(fresh_database, BY_NETWORK)


async def test_a_limit_of_another_name_key_or_length_counts_apart(database: Database) -> None:
    for _ in range(3):
        await hit(database, BY_NETWORK)

    for other in (
        Limit("sign_up.network", "203.0.113.7", 3, 60),
        Limit("log_in.network", "203.0.113.8", 3, 60),
        Limit("log_in.network", "203.0.113.7", 3, 3600),
    ):
        assert await is_allowed(database, other)


@pytest.mark.requirement("THR-5")
async def test_what_is_stored_does_not_tell_the_key(database: Database, db: AsyncSession) -> None:
    await hit(database, Limit("log_in.account", "ada@example.com", 3, 60), secret=b"k" * 32)
    await hit(database, Limit("log_in.account", "ada@example.com", 3, 60), secret=b"j" * 32)

    stored = (await db.scalars(select(RateLimit.key))).all()

    assert len(set(stored)) == 2  # Without the secret nobody can find out by trying.
    assert all(b"ada" not in key and len(key) == 32 for key in stored)


@pytest.mark.requirement("THR-1")
async def test_all_limits_cost_one_statement(
    database: Database, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with statements() as executed:
        await hit(database, BY_NETWORK, Limit("log_in.account", "ada@example.com", 5, 60))

    assert len(executed) == 1


@pytest.mark.requirement("THR-5")
async def test_counts_that_are_over_are_swept_and_the_others_stay(database: Database, db: AsyncSession) -> None:
    await hit(database, BY_NETWORK, Limit("log_in.account", "ada@example.com", 5, 3600))
    with clock.travel(timedelta(minutes=2)):
        assert await throttle.sweep(db) == 1

    assert await db.scalar(select(func.count()).select_from(RateLimit)) == 1


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_network_is_what_one_person_owns(ip: str, network: str) -> None:
    assert network_of(ip) == network

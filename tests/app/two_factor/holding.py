"""People who hold second factors, set up through the pages as a browser does it."""

import re
from datetime import timedelta
from typing import Any

import pyotp
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import AuditEvent
from app.database import system_scope
from app.two_factor.authenticator_app import STEP_SECONDS
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.two_factor.authenticator import Authenticator

CODE = re.compile(r"<li>([0-9a-z]{4}(?:-[0-9a-z]{4}){3})</li>")
ACCOUNT = "/account/two-factor"
PASSKEYS = "/account/passkeys"
CHALLENGE = "/log-in/two-factor"


def code_of(secret: str, *, steps: int = 0) -> str:
    """What an authenticator app shows now, or some steps of thirty seconds later."""
    return pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=steps * STEP_SECONDS))


async def csrf_token(client: AsyncTestClient) -> str:
    """The token of the session, from a page that costs little."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', (await client.get(PASSKEYS)).text)
    assert found is not None
    return found[1]


async def post(client: AsyncTestClient, path: str, **fields: str) -> Response:
    """Submit a form of somebody who is logged in."""
    return await client.post(path, data={"csrf_token": await csrf_token(client), **fields})


async def options(client: AsyncTestClient, path: str, *, token: str = "") -> dict[str, Any]:
    """What the page's script is told to ask of the authenticator."""
    response = await client.post(path, headers={"accept": "application/json", "x-csrf-token": token})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def set_up_app(client: AsyncTestClient) -> tuple[str, Response]:
    """Set an authenticator app up; returns its secret and the last answer."""
    await post(client, f"{ACCOUNT}/app")
    page = await client.get(f"{ACCOUNT}/app")
    found = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)
    assert found is not None, page.text
    secret = found[1].replace(" ", "")
    # A code of the past step, so that the present one is still unused.
    return secret, await post(client, f"{ACCOUNT}/app/confirm", code=code_of(secret, steps=-1))


async def add_passkey(client: AsyncTestClient, authenticator: Authenticator, name: str = "Laptop") -> Response:
    """Make a passkey."""
    asked = await options(client, f"{PASSKEYS}/new/options", token=await csrf_token(client))
    return await post(client, f"{PASSKEYS}/new", name=name, credential=authenticator.register(asked))


async def log_in_with_passkey(client: AsyncTestClient, authenticator: Authenticator, **fields: str) -> Response:
    """Log in by a passkey alone."""
    asked = await options(client, "/log-in/passkey/options")
    return await client.post("/log-in/passkey", data={"credential": authenticator.sign(asked), **fields})


async def person_with_app(
    client: AsyncTestClient, db: AsyncSession, *, email: str = "ada@example.com"
) -> tuple[User, str, list[str]]:
    """Somebody with an authenticator app, logged out: the person, the secret and the recovery codes."""
    user = await add_person(db, email=email)
    await log_in(client, email)
    secret, page = await set_up_app(client)
    client.cookies.clear()
    return user, secret, CODE.findall(page.text)


async def person_with_passkey(
    client: AsyncTestClient, db: AsyncSession, authenticator: Authenticator, *, email: str = "ada@example.com"
) -> tuple[User, list[str]]:
    """Somebody with a passkey, logged out: the person and the recovery codes."""
    user = await add_person(db, email=email)
    await log_in(client, email)
    page = await add_passkey(client, authenticator)
    client.cookies.clear()
    return user, CODE.findall(page.text)


async def recorded(db: AsyncSession) -> list[str]:
    """What the audit trail says, in order."""
    async with system_scope(db):
        return list(await db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


async def is_logged_in(client: AsyncTestClient) -> bool:
    return (await client.get("/api/v1/me")).status_code == 200

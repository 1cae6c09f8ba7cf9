"""People for tests: made through the real actions, and using the product as a browser does."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.actions import create_verified_user
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import system_scope
from app.email.links import links_in
from app.email.models import EmailMessage
from app.main import create_app
from app.organizations.actions import create_personal_organization
from app.organizations.models import Organization
from core.testclient import AsyncTestClient
from tests.databases import RolledBackDatabase

PASSWORD = "three boats on the river"
NEW_PASSWORD = "seven lamps by the harbour"


@asynccontextmanager
async def visitor(
    settings: Settings, database: RolledBackDatabase, **changes: object
) -> AsyncIterator[AsyncTestClient]:
    """A browser at an installation with other settings."""
    app = create_app(replace(settings, **changes), database=database)  # type: ignore[arg-type] # the fields differ in type
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        yield client


async def add_person(db: AsyncSession, name: str = "Ada Lovelace", email: str = "ada@example.com") -> User:
    """A person with a verified address, `PASSWORD` and an organization of their own."""
    user = await create_verified_user(db, name=name, email=email, password=PASSWORD)
    await create_personal_organization(db, user, facts=RequestFacts())
    await db.flush()
    return user


async def organization_of(db: AsyncSession, user: User) -> Organization:
    """The organization that a person was last seen in."""
    async with system_scope(db):
        organization = await db.get(Organization, user.current_organization_id)
    assert organization is not None
    return organization


async def sign_up(client: AsyncTestClient, *, email: str = "ada@example.com", **fields: str) -> Response:
    """Submit the sign-up form."""
    return await client.post(
        "/sign-up", data={"name": "Ada Lovelace", "email": email, "password": PASSWORD, "terms": "true", **fields}
    )


async def log_in(
    client: AsyncTestClient, email: str = "ada@example.com", password: str = PASSWORD, **fields: str
) -> Response:
    """Submit the log-in form."""
    return await client.post("/log-in", data={"email": email, "password": password, **fields})


async def csrf_token(client: AsyncTestClient) -> str:
    """The token that the pages of a person who is logged in carry in their forms."""
    page = await client.get("/o", follow_redirects=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def newest_message(db: AsyncSession, to: str = "ada@example.com") -> EmailMessage:
    """The message that was written to an address last."""
    statement = select(EmailMessage).where(EmailMessage.to_address == to).order_by(EmailMessage.id.desc()).limit(1)
    message = await db.scalar(statement)
    assert message is not None, f"nothing was written to {to}"
    return message


async def templates_sent(db: AsyncSession) -> list[tuple[str, str]]:
    """Which messages were written to whom, in order."""
    rows = await db.execute(select(EmailMessage.template, EmailMessage.to_address).order_by(EmailMessage.id))
    return [(template, to) for template, to in rows]


async def mailed_link(db: AsyncSession, to: str = "ada@example.com") -> str:
    """The path and query of the first link in the newest message to an address."""
    message = await newest_message(db, to)
    link = urlsplit(links_in(text=message.text, html="")[0])
    return f"{link.path}?{link.query}"


async def mailed_token(db: AsyncSession, to: str = "ada@example.com") -> str:
    """The token in the newest link that was mailed to an address."""
    return (await mailed_link(db, to)).partition("token=")[2]


async def ask_for_reset(client: AsyncTestClient, email: str = "ada@example.com") -> Response:
    """Submit the form for a forgotten password."""
    return await client.post("/forgot-password", data={"email": email})


async def ask_for_log_in(client: AsyncTestClient, email: str = "ada@example.com", **fields: str) -> Response:
    """Submit the form for a link and a code that log in."""
    return await client.post("/log-in/code", data={"email": email, **fields})


async def mailed_code(db: AsyncSession, to: str = "ada@example.com") -> str:
    """The six digits in the newest message to an address."""
    found = re.search(r"^(\d{6})$", (await newest_message(db, to)).text, re.MULTILINE)
    assert found is not None, "the message has no code"
    return found[1]

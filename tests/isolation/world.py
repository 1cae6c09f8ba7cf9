"""Two organizations with the same things in them, and everybody who could ask for those."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from httpx2 import Response
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app import clock
from app.accounts.actions import start_session
from app.accounts.models import Email, Session, User
from app.accounts.sessions import cookie_name, hash_token
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, system_scope
from app.ids import uuid7
from app.organizations.models import CustomRole, Membership, MembershipStatus, Organization
from app.policy import Role
from app.tokens.models import PersonalToken
from app.tokens.spelling import new_secret
from core.applications import Starlette
from core.testclient import AsyncTestClient
from tests.isolation.expectations import ACTORS, CUSTOM, Actor, is_for_programs
from tests.isolation.things import Things, make_things

OURS, THEIRS, NOBODYS = "ours", "theirs", "no-such-organization"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class World:
    """The application, its data, and by what each actor is known."""

    app: Starlette
    settings: Settings
    connection: AsyncConnection
    ours: Things
    theirs: Things
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    csrf: dict[str, str] = field(default_factory=dict)
    clients: dict[str, AsyncTestClient] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)

    async def ask(self, actor: Actor, method: str, path: str) -> Response:
        """Send an empty request as this actor. Whatever it does is undone."""
        async with undone(self.connection):
            client = self.clients[actor.name]
            client.cookies.clear()
            content = b"" if method in ("GET", "DELETE") else b"{}" if is_for_programs(path) else b"nothing="
            return await client.request(method, path, headers=self._headers(actor, method, path), content=content)

    def _headers(self, actor: Actor, method: str, path: str) -> dict[str, str]:
        known = self.headers[actor.name]
        if actor.scopes and not is_for_programs(path):
            known = {}  # On a page nobody reads tokens.
        if method != "GET":
            known = {**known, "x-csrf-token": self.csrf.get(actor.name, "")}
        if is_for_programs(path):
            return {"accept": "application/json", "content-type": "application/json", **known}
        return {"accept": "text/html", "content-type": "application/x-www-form-urlencoded", **known}


@asynccontextmanager
async def undone(connection: AsyncConnection) -> AsyncIterator[None]:
    """Let nothing of the block stay."""
    savepoint = await connection.begin_nested()
    try:
        yield
    finally:
        await savepoint.rollback()


async def make_world(app: Starlette, settings: Settings, database: Database, connection: AsyncConnection) -> World:
    """Make both organizations and let everybody in. The application must have started."""
    async with database.transaction() as db, system_scope(db):
        ours, people = await _make_organization(db, settings, OURS)
        theirs, strangers = await _make_organization(db, settings, THEIRS)
        world = World(app, settings, connection, ours, theirs)
        users = {**people, "stranger": strangers["owner"], "stranger's token": strangers["owner"]}
        users["staff"] = await _person(db, "staff")
        users["staff"].is_staff = True
        for actor in ACTORS:
            user = users.get(actor.name, users["owner"])
            world.people[actor.name] = user.id
            world.headers[actor.name] = await _credentials(db, settings, actor, user)
        await db.flush()
    for number, actor in enumerate(ACTORS, start=1):
        # An address for each, because the API's limit is for each address.
        world.clients[actor.name] = AsyncTestClient(
            app,
            base_url=settings.base_url,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(f"203.0.113.{number}", 1),
        )
        if actor.has_session:
            page = await world.ask(actor, "GET", "/organizations/new")
            found = CSRF.search(page.text)
            assert found is not None, page.text
            world.csrf[actor.name] = found[1]
    return world


async def _make_organization(db: AsyncSession, settings: Settings, slug: str) -> tuple[Things, dict[str, User]]:
    organization = Organization(id=uuid7(), slug=slug, name=slug.title(), kind="team", named_at=clock.now())
    names = ("owner", "admin", "member", "custom", "suspended", "removed", "target", "asker")
    people = {name: await _person(db, f"{name}-{slug}") for name in names}
    db.add(organization)
    await db.flush()
    role = CustomRole(
        id=uuid7(), organization_id=organization.id, key=f"auditor-{slug}", name="Auditor", permissions=sorted(CUSTOM)
    )
    db.add(role)
    await db.flush()
    for name in (*names[:5], "target"):
        db.add(_membership(organization, people[name], name, role))
    things = await make_things(db, settings, organization, people, role)
    await db.flush()
    return things, people


def _membership(organization: Organization, user: User, name: str, role: CustomRole) -> Membership:
    return Membership(
        organization_id=organization.id,
        user_id=user.id,
        role=name if name in set(Role) else Role.MEMBER,
        custom_role_id=role.id if name == "custom" else None,
        status=MembershipStatus.SUSPENDED if name == "suspended" else MembershipStatus.ACTIVE,
    )


async def _person(db: AsyncSession, name: str) -> User:
    user = User(id=uuid7(), name=name)
    db.add(user)
    await db.flush()
    address = Email(user_id=user.id, address=f"{name}@example.com", verified_at=clock.now(), is_primary=True)
    db.add(address)
    await db.flush()
    return user


async def _credentials(db: AsyncSession, settings: Settings, actor: Actor, user: User) -> dict[str, str]:
    if actor.scopes is not None:
        secret = new_secret()
        db.add(
            PersonalToken(
                token_hash=hash_token(secret),
                user_id=user.id,
                name=actor.name,
                ending=secret[-4:],
                scopes=sorted(actor.scopes),
                expires_at=clock.now() + timedelta(days=1),
            )
        )
        return {"authorization": f"Bearer {secret}"}
    if not actor.has_session:
        return {}
    token = await start_session(db, user, methods=["password"], facts=RequestFacts())
    if not actor.is_confirmed:
        long_ago = clock.now() - timedelta(hours=1)
        statement = update(Session).where(Session.token_hash == hash_token(token)).values(authenticated_at=long_ago)
        await db.execute(statement)
    return {"cookie": f"{cookie_name(settings)}={token}"}

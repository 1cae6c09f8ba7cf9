"""The data that the pages show: made by the product, and copied for the peers into a schema without row-level security."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.actions import create_verified_user, start_session
from app.accounts.models import Email, User
from app.audit.models import AuditEvent, RequestFacts
from app.database import Database, system_scope
from app.ids import uuid7
from app.invitations.models import Invitation
from app.notifications.models import Notification
from app.organizations.actions import create_personal_organization, create_team
from app.organizations.models import Membership, Organization
from app.policy import Role
from app.terms import TERMS_VERSION
from tests.databases import DatabaseServer

SLUG = "acme"
MEMBERS = 50  # One page of the list.
EVENTS = 16  # The page shows half of them.
UNREAD = 3
AGE = timedelta(
    days=2
)  # Of the organizations: what has just begun would be "now" for one page and "1 second ago" for the next.
PEERS_SCHEMA = "peers"
# What the peers' queries read, and no more.
TABLES = (
    "users",
    "emails",
    "sessions",
    "organizations",
    "roles",
    "memberships",
    "invitations",
    "notifications",
    "audit_events",
    "realtime_events",
)


@dataclass(frozen=True)
class Company:
    """Where the peers find the rows, and the session of somebody who may see them."""

    database: str
    token: str


async def found(server: DatabaseServer, database: str) -> Company:
    """Fill a database that has the product's tables and nothing in them."""
    product = Database(server.application_url(database))
    async with product.transaction() as db, system_scope(db):
        with clock.travel(-AGE):
            ada, acme = await _ada_and_her_team(db)
            cedar = await _cedar(db)
        await _fill(db, acme, ada)
        db.add(_invitation(cedar))
        token = await start_session(db, ada, methods=["password"], facts=RequestFacts())
    await product.close()
    await _copy_for_peers(server.owner_url(database))
    return Company(server.owner_url(database), token)


async def _ada_and_her_team(db: AsyncSession) -> tuple[User, Organization]:
    ada = await create_verified_user(db, name="Ada Lovelace", email="ada@example.com", password=secrets.token_hex())
    ada.terms_version = TERMS_VERSION
    await create_personal_organization(db, ada, facts=RequestFacts())
    await create_team(db, ada, name="Beacon", slug="beacon", facts=RequestFacts())
    acme = await create_team(db, ada, name="Acme", slug=SLUG, facts=RequestFacts())
    return ada, acme


async def _cedar(db: AsyncSession) -> Organization:
    """An organization of somebody else, which invites."""
    bob = await create_verified_user(db, name="Bob Noyce", email="bob@example.com", password=secrets.token_hex())
    return await create_team(db, bob, name="Cedar", slug="cedar", facts=RequestFacts())


async def _fill(db: AsyncSession, organization: Organization, ada: User) -> None:
    """Members, what happened, and what is new to her."""
    now = clock.now()
    people = list(_people(organization, now))
    db.add_all(row for user, email, _ in people for row in (user, email))
    await db.flush()
    db.add_all(member for *_, member in people)
    db.add_all(_events(organization, ada, now))
    db.add_all(Notification(user_id=ada.id, kind="role.changed", data={}) for _ in range(UNREAD))
    await db.flush()


def _people(organization: Organization, now: datetime) -> Iterator[tuple[User, Email, Membership]]:
    for number in range(1, MEMBERS):
        user = User(id=uuid7(), name=f"Person {number:02}")
        email = Email(user_id=user.id, address=f"person{number}@example.com", is_primary=True, verified_at=now)
        role = Role.ADMIN if number % 10 == 0 else Role.MEMBER
        joined_at = now + timedelta(minutes=number)
        yield user, email, Membership(organization_id=organization.id, user_id=user.id, role=role, joined_at=joined_at)


def _events(organization: Organization, user: User, now: datetime) -> Iterator[AuditEvent]:
    for number in range(EVENTS):
        action, changes = [
            ("organizations.created", None),
            ("organizations.renamed", {"name": ["Acme", f"Acme {number}"]}),
        ][number % 2]
        yield AuditEvent(
            organization_id=organization.id,
            action=action,
            actor_type="user",
            actor_id=user.id,
            actor_label=user.name,
            changes=changes,
            created_at=now - timedelta(hours=number + 2, minutes=10),
        )


def _invitation(organization: Organization) -> Invitation:
    return Invitation(
        organization_id=organization.id,
        address="ada@example.com",
        role=Role.MEMBER,
        token_hash=secrets.token_bytes(32),
        expires_at=clock.now() + timedelta(days=7),
        last_sent_at=clock.now(),
    )


async def _copy_for_peers(owner: str) -> None:
    """The same rows and indexes once more. Foreign keys and policies are not copied: reading for the peers is no dearer."""
    database = Database(owner)
    async with database.transaction() as db, system_scope(db):
        await db.execute(text(f"CREATE SCHEMA {PEERS_SCHEMA}"))
        for table in TABLES:
            await db.execute(text(f"CREATE TABLE {PEERS_SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)"))
            copy = f"INSERT INTO {PEERS_SCHEMA}.{table} OVERRIDING SYSTEM VALUE SELECT * FROM public.{table}"  # noqa: S608 - ours
            await db.execute(text(copy))
        await db.execute(text("ANALYZE"))
    await database.close()

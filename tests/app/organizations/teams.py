"""Teams for tests: founded and joined through the real actions."""

import re
from datetime import timedelta

from httpx2 import Response
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, User
from app.audit.models import AuditEvent, RequestFacts
from app.database import system_scope
from app.ids import uuid7
from app.organizations.actions import create_team
from app.organizations.models import CustomRole, Membership, MembershipStatus, Organization
from app.policy import ENTRY, Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token


async def add_team(db: AsyncSession, owner: User, *, name: str = "Acme", slug: str = "acme") -> Organization:
    """A team that `owner` has founded."""
    organization = await create_team(db, owner, name=name, slug=slug, facts=RequestFacts())
    await db.flush()
    return organization


async def add_member(
    db: AsyncSession,
    organization: Organization,
    name: str,
    role: Role = Role.MEMBER,
    status: MembershipStatus = MembershipStatus.ACTIVE,
) -> User:
    """A new person with an address of their first name, who belongs to the organization."""
    person = await add_person(db, name, f"{name.partition(' ')[0].lower()}@example.com")
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=person.id, role=role, status=status))
    return person


async def membership_of(db: AsyncSession, organization: Organization, user: User) -> Membership | None:
    """A person's membership as it is in the database now."""
    statement = select(Membership).where(Membership.organization_id == organization.id, Membership.user_id == user.id)
    async with system_scope(db):
        return await db.scalar(statement.execution_options(populate_existing=True))


async def events_of(db: AsyncSession, organization: Organization, action: str) -> list[AuditEvent]:
    """The events of a kind, in order."""
    statement = select(AuditEvent).where(AuditEvent.organization_id == organization.id, AuditEvent.action == action)
    async with system_scope(db):
        return list(await db.scalars(statement.order_by(AuditEvent.id)))


async def submit(client: AsyncTestClient, path: str, **fields: str) -> Response:
    """Submit a form as somebody who is logged in."""
    return await client.post(path, data={**fields, "csrf_token": await csrf_token(client)})


def text_of(page: Response) -> str:
    """What a reader sees of a page, with single blanks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def add_role(db: AsyncSession, organization: Organization, name: str, *permissions: str) -> CustomRole:
    """A role of the organization's own, with its name in lower case as its key."""
    role = CustomRole(
        organization_id=organization.id, key=name.lower(), name=name, permissions=sorted({*permissions, ENTRY})
    )
    async with system_scope(db):
        db.add(role)
    return role


async def give_role(db: AsyncSession, user: User, role: CustomRole) -> None:
    """Have a member of the role's organization hold it."""
    own = (Membership.user_id == user.id, Membership.organization_id == role.organization_id)
    async with system_scope(db):
        await db.execute(update(Membership).where(*own).values(role=Role.MEMBER, custom_role_id=role.id))


async def add_many(db: AsyncSession, organization: Organization, count: int) -> None:
    """Many members, by three statements, who join a second after each other."""
    people = [{"id": uuid7(), "name": f"Person {number:05}"} for number in range(count)]
    now = clock.now()
    emails = [
        {
            "id": uuid7(),
            "user_id": each["id"],
            "address": f"{each['id']}@example.org",
            "verified_at": now,
            "is_primary": True,
        }
        for each in people
    ]
    places = [
        {
            "organization_id": organization.id,
            "user_id": each["id"],
            "role": "member",
            "joined_at": now + timedelta(seconds=number),
        }
        for number, each in enumerate(people)
    ]
    async with system_scope(db):
        for model, rows in ((User, people), (Email, emails), (Membership, places)):
            for start in range(0, count, 2000):
                await db.execute(insert(model), rows[start : start + 2000])

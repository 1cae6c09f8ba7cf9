"""What tests of projects share: people, their organizations, and projects in them."""

import html
import re
from datetime import timedelta
from typing import Any

from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.models import User
from app.audit.models import AuditEvent, RequestFacts
from app.database import system_scope
from app.organizations.models import Membership, Organization, Scope
from app.policy import Role
from app.projects.actions import ProjectValues, create_project
from app.projects.models import Project
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, organization_of

PROJECTS = "/o/ada-lovelace/projects"
API = "/api/v1/organizations/ada-lovelace/projects"


async def scope_of(db: AsyncSession, user: User) -> Scope:
    """The scope in which a person acts in their own organization."""
    organization = await organization_of(db, user)
    statement = select(Membership).options(joinedload(Membership.organization), joinedload(Membership.custom_role))
    async with system_scope(db):
        membership = await db.scalar(
            statement.where(Membership.organization_id == organization.id, Membership.user_id == user.id)
        )
    assert membership is not None
    return Scope(user, organization, membership, request_id="test")


async def start(db: AsyncSession, user: User, name: str, **values: Any) -> Project:
    """A project of a person's own organization."""
    scope = await scope_of(db, user)
    async with system_scope(db):
        return await create_project(db, scope, ProjectValues(name, **values), facts=RequestFacts())


async def start_many(db: AsyncSession, user: User, count: int, *, first: int = 0) -> None:
    """Many projects at once, each an hour younger than the one before, two of each name's beginning due on the same day."""
    scope = await scope_of(db, user)
    now = clock.now()
    async with system_scope(db):
        for number in range(first, first + count):
            values = {
                "name": f"Project {number:05}",
                "status": ("planned", "active", "paused", "done")[number % 4],
                "due_on": (now + timedelta(days=number // 2)).date() if number % 3 else None,
                "created_at": now - timedelta(hours=first + count - number),
            }
            db.add(Project(organization_id=scope.organization.id, created_by=user.id, **values))
        await db.flush()


async def add_member(
    db: AsyncSession, owner: User, name: str = "Grace Hopper", role: Role = Role.MEMBER, status: str = "active"
) -> User:
    """Another person, who belongs to the organization of `owner`."""
    person = await add_person(db, name, f"{name.partition(' ')[0].lower()}@example.com")
    organization: Organization = await organization_of(db, owner)
    async with system_scope(db):
        db.add(Membership(organization_id=organization.id, user_id=person.id, role=role, status=status))
    return person


async def submit(client: AsyncTestClient, path: str, **fields: Any) -> Response:
    """Post a form as a page does."""
    return await client.post(path, data={**fields, "csrf_token": await csrf_token(client)})


async def projects_of(db: AsyncSession) -> list[Project]:
    """Every project there is, deleted ones too, by name."""
    async with system_scope(db):
        statement = select(Project).order_by(Project.name).execution_options(populate_existing=True)
        return list(await db.scalars(statement))


async def events_of(db: AsyncSession, action: str) -> list[AuditEvent]:
    """What the audit trail says of an action."""
    async with system_scope(db):
        return list(await db.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)))


async def check(client: AsyncTestClient, content: str | bytes, name: str = "projects.csv") -> Response:
    """Upload a file to see what importing it would do."""
    data = {"csrf_token": await csrf_token(client)}
    return await client.post(f"{PROJECTS}/import", data=data, files={"file": (name, content, "text/csv")})


async def confirm(client: AsyncTestClient, review: Response) -> Response:
    """Import what a review shows, by the form that it has."""
    text = re.search(r'name="text" value="([^"]*)"', review.text)
    assert text is not None
    data = {"csrf_token": await csrf_token(client), "text": html.unescape(text[1])}
    return await client.post(f"{PROJECTS}/import/confirm", data=data, files={"none": ("", b"")})

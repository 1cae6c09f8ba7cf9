"""One of each thing that has an address, in an organization."""

from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.accounts.sessions import hash_token, new_token
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Base
from app.files.models import File, FileState
from app.files.storage import new_key, storage_in_use
from app.ids import uuid7
from app.invitations.models import Invitation, JoinDomain, JoinLink, JoinRequest
from app.organizations.models import CustomRole, Organization
from app.policy import Role

CONTENT = b"Nothing that anybody else may read."

Things = Mapping[str, object]  # What stands for each parameter of a path, in one organization.


def parameter(things: Things, route: str, name: str) -> object:
    """What stands for a parameter of a route's path: a thing of the organization, or an id of nothing."""
    of_route = things.get(route)
    if isinstance(of_route, dict) and name in of_route:
        return of_route[name]
    return things.get(name, uuid4())


def is_thing(things: Things, name: str) -> bool:
    return name in things and isinstance(things[name], UUID | str)


async def make_things(
    db: AsyncSession, settings: Settings, organization: Organization, people: Mapping[str, User], role: CustomRole
) -> Things:
    """One of each thing that has an address, by the name of its parameter."""
    later = clock.now() + timedelta(days=1)
    own = {"organization_id": organization.id, "created_by": people["owner"].id}
    link = JoinLink(id=uuid7(), code_hash=hash_token(new_token()), ending="abcd", expires_at=later, **own)
    invitation = Invitation(
        id=uuid7(),
        organization_id=organization.id,
        address=f"invited@{organization.slug}.example",
        role=Role.MEMBER,
        token_hash=hash_token(new_token()),
        invited_by=people["owner"].id,
        expires_at=later,
        last_sent_at=clock.now(),
    )
    asks = JoinRequest(organization_id=organization.id, user_id=people["asker"].id, address="asker@example.com")
    domain = JoinDomain(domain=f"{organization.slug}.example", asks=True, **own)
    db.add_all([link, invitation, asks, domain])
    event = await record(
        db,
        "organizations.created",
        actor_id=people["owner"].id,
        organization_id=organization.id,
        request=RequestFacts(),
    )
    await db.flush()
    deleted = await _project(db, organization, name="Deleted", deleted_at=clock.now())
    return {
        "slug": organization.slug,
        "organization_id": organization.id,
        "user_id": people["target"].id,
        "key": role.key,
        "event_id": event.id,
        "invitation_id": invitation.id,
        "link_id": link.id,
        "domain": domain.domain,
        "file_id": (await _file(db, settings, organization)).id,
        "project_id": await _project(db, organization, name="Secret"),
        "projects.restore": {"project_id": deleted},
        "projects.restore_project": {"project_id": deleted},
        "invitations.grant_request": {"user_id": people["asker"].id},
        "invitations.refuse_request": {"user_id": people["asker"].id},
    }


async def _file(db: AsyncSession, settings: Settings, organization: Organization) -> File:
    """A file that can be downloaded."""
    file = File(
        id=uuid7(),
        organization_id=organization.id,
        storage=settings.files.storage,
        key=new_key(),
        filename="secret.txt",
        content_type="text/plain",
        size=len(CONTENT),
        sha256="0" * 64,
        state=FileState.READY,
    )
    await storage_in_use(settings).put(file.key, BytesIO(CONTENT))
    db.add(file)
    await db.flush()
    return file


async def _project(db: AsyncSession, organization: Organization, *, name: str, **values: object) -> UUID:
    """A project, by its table: the feature that teaches may have been deleted. Then it is the id of nothing."""
    project_id = uuid7()
    if (table := Base.metadata.tables.get("projects")) is not None:
        own = {"id": project_id, "organization_id": organization.id, "name": name, **values}
        await db.execute(insert(table).values(own))
    return project_id

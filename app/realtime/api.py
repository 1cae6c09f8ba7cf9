"""Who is there, for programs."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.database import Db
from app.organizations.dependencies import Allowed, require_permission
from app.organizations.models import Scope
from app.realtime import queries
from app.realtime.presence import COUNTS_FOR
from app.realtime.topics import place_permission
from core.params import Query


class PresentMember(BaseModel):
    """A member who has the organization open."""

    user_id: UUID
    name: str


class PresentMembers(BaseModel):
    items: list[PresentMember]


async def list_present(
    scope: Annotated[Scope, Allowed("members.view")],
    db: Db,
    place: Annotated[str | None, Field(max_length=100), Query()] = None,
) -> PresentMembers:
    """List the members who are looking at the organization right now, or at a `place` of it: `project:<id>`.

    Somebody is gone half a minute after their last window at the latest.
    """
    if place is not None:
        require_permission(scope, place_permission(place))
    found = await queries.list_present(db, scope, counts_for=COUNTS_FOR, place=place)
    return PresentMembers(items=[PresentMember(user_id=user.id, name=user.name) for user in found])

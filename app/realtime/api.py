"""Who is there, for programs."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from app.database import Db
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from app.realtime import queries
from app.realtime.presence import COUNTS_FOR


class PresentMember(BaseModel):
    """A member who has the organization open."""

    user_id: UUID
    name: str


class PresentMembers(BaseModel):
    items: list[PresentMember]


async def list_present(scope: Annotated[Scope, Allowed("members.view")], db: Db) -> PresentMembers:
    """List the members who are looking at the organization right now.

    Somebody is gone half a minute after their last window at the latest.
    """
    found = await queries.list_present(db, scope, counts_for=COUNTS_FOR)
    return PresentMembers(items=[PresentMember(user_id=user.id, name=user.name) for user in found])

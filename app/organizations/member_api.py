"""The members of an organization, for programs: the same queries, actions and permissions as the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.forms import JsonBody
from app.organizations import members as actions
from app.organizations.api import NextCursor
from app.organizations.custom_roles import AnyRole, find_role, role_key, role_of
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.forms import MemberQuery, RoleKey
from app.organizations.member_queries import find_member, list_facts
from app.organizations.models import Membership, MembershipStatus, Scope
from app.pagination import PAGING_HEADERS, Pager, Position, page_response
from core.exceptions import HTTPException
from core.openapi import operation
from core.params import Body, Query
from core.problems import InvalidInput
from core.requests import Request
from core.responses import Response

FORBIDDEN = {409: "An organization keeps an owner, and nobody does this to themselves."}
ROLE = "A built-in role, or the key of one of the organization's own."
RoleName = Annotated[RoleKey, Field(description=ROLE, examples=["member"])]
ChangingScope = Annotated[Scope, Allowed("members.change")]


class MemberOut(BaseModel):
    """A member of an organization. A suspended member keeps their place and may do nothing."""

    user_id: UUID
    name: Annotated[str, Field(examples=["Ada Lovelace"])]
    email: Annotated[str, Field(description="Empty while no address is confirmed.", examples=["ada@example.com"])]
    role: Annotated[str, Field(description=ROLE)]
    status: MembershipStatus
    joined_at: datetime


class MemberPage(BaseModel):
    """Some of an organization's members."""

    items: list[MemberOut]
    next_cursor: NextCursor


class MemberChanges(JsonBody):
    """What can be changed about a member; what is left out stays."""

    role: Annotated[RoleKey, Field(description=ROLE, examples=["admin"])] | None = None
    status: Annotated[MembershipStatus | None, Field(strict=False)] = None


@operation(refusals=MOVED, headers=PAGING_HEADERS)
async def list_members(
    request: Request, scope: Annotated[Scope, Allowed("members.view")], db: Db, query: Annotated[MemberQuery, Query()]
) -> MemberPage | Response:
    """List the members of an organization.

    Those who joined first come first.
    """
    pager = Pager(request, query, f"members:{scope.organization.id}:{query.list_name}")
    facts = await list_facts(db, scope, query.filter, after=pager.after, limit=pager.limit)
    found = pager.page(facts, lambda each: Position(each.joined_at, UUID(each.user_id)))
    page = {"items": [each._asdict() for each in found.rows], "next_cursor": found.next_cursor}
    return page_response(request, page, found.next_cursor)


@operation(refusals={**MOVED, **FORBIDDEN})
async def update_member(
    request: Request,
    scope: ChangingScope,
    db: Db,
    settings: CurrentSettings,
    user_id: UUID,
    changes: Annotated[MemberChanges, Body(unique_names=True)],
) -> MemberOut:
    """Change a member's role or status.

    Nobody gives or takes a role above their own, and an organization keeps an owner.
    """
    member, facts = await _get_member(db, scope, user_id), RequestFacts.of(request)
    if changes.role is not None:
        role = await get_role(db, scope, changes.role)
        await actions.change_role(db, settings, scope, member, role=role, facts=facts)
    if changes.status == MembershipStatus.SUSPENDED:
        await actions.suspend(db, scope, member, facts=facts)
    if changes.status == MembershipStatus.ACTIVE:
        await actions.reactivate(db, scope, member, facts=facts)
    return _member(member)


@operation(refusals={**MOVED, **FORBIDDEN})
async def remove_member(
    request: Request,
    scope: ChangingScope,
    db: Db,
    settings: CurrentSettings,
    user_id: UUID,
    successor_id: Annotated[
        UUID | None, Query(), Field(description="Who takes over what they answer for. Left out: nobody.")
    ] = None,
) -> None:
    """Remove a member. To go oneself, one leaves the organization on its pages."""
    member = await _get_member(db, scope, user_id)
    successor = await _get_member(db, scope, successor_id) if successor_id else None
    await actions.remove(db, settings, scope, member, facts=RequestFacts.of(request), successor=successor)


async def get_role(db: Db, scope: Scope, key: str) -> AnyRole:
    """The role that a program names in its body's `role`. Raises InvalidInput."""
    role = await find_role(db, scope, key)
    if role is None:
        detail = "The organization has no role of this name."
        raise InvalidInput([{"in": "body", "pointer": "#/role", "code": "role", "detail": detail}])
    return role


async def _get_member(db: Db, scope: Scope, user_id: UUID) -> Membership:
    member = await find_member(db, scope, user_id, is_locked=True)
    if member is None:
        raise HTTPException(404)
    return member


def _member(membership: Membership) -> MemberOut:
    return MemberOut(
        user_id=membership.user_id,
        name=membership.user.name,
        email=membership.user.email,
        role=role_key(role_of(membership)),
        status=MembershipStatus(membership.status),
        joined_at=membership.joined_at,
    )

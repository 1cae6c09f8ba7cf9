"""Invitations, for programs: the same queries, actions and permissions as the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.forms import JsonBody, Text
from app.invitations import actions, queries
from app.invitations.actions import MOST_AT_ONCE, Outcome
from app.invitations.handlers import count_list, position
from app.invitations.models import LONGEST_MESSAGE, Invitation, InvitationState
from app.organizations.api import NextCursor
from app.organizations.custom_roles import role_key, role_of
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.member_api import ROLE, RoleName, get_role
from app.organizations.models import Scope
from app.pagination import PAGING_HEADERS, PageQuery, Pager, page_response
from app.policy import Role
from core.exceptions import HTTPException
from core.openapi import operation
from core.params import Body, Query
from core.requests import Request
from core.responses import Response

InvitingScope = Annotated[Scope, Allowed("invitations.create")]


class InvitationOut(BaseModel):
    """An invitation that nobody has answered. Its link is in the mail alone."""

    id: UUID
    email: Annotated[str, Field(examples=["grace@example.com"])]
    role: Annotated[str, Field(description=ROLE, examples=["member"])]
    state: InvitationState
    expires_at: datetime
    created_at: datetime


class InvitationPage(BaseModel):
    """Some of an organization's unanswered invitations."""

    items: list[InvitationOut]
    next_cursor: NextCursor


class NewInvitations(JsonBody):
    """Whom to invite, and as what."""

    emails: Annotated[
        list[Annotated[str, Field(max_length=300)]],
        Field(min_length=1, max_length=MOST_AT_ONCE, examples=[["grace@example.com"]]),
    ]
    role: RoleName = Role.MEMBER.value
    message: Annotated[Text, Field(max_length=LONGEST_MESSAGE)] = ""


class InvitationAnswer(BaseModel):
    """What became of one of the addresses."""

    email: str
    outcome: Outcome
    invitation: InvitationOut | None


class InvitationAnswers(BaseModel):
    """One answer for each different address, in their order."""

    items: list[InvitationAnswer]


@operation(refusals=MOVED, headers=PAGING_HEADERS)
async def list_invitations(
    request: Request,
    scope: Annotated[Scope, Allowed("invitations.view")],
    db: Db,
    page: Annotated[PageQuery, Query()],
) -> InvitationPage | Response:
    """List the invitations that nobody has answered.

    The newest come first.
    """
    pager = Pager(request, page, f"invitations:{scope.organization.id}")
    rows = await queries.list_invitations(db, scope, after=pager.after, limit=pager.limit)
    found = pager.page(rows, position)
    items = [_invitation(each) for each in found.rows]
    return page_response(request, InvitationPage(items=items, next_cursor=found.next_cursor), found.next_cursor)


@operation(refusals=MOVED)
async def create_invitations(
    request: Request,
    scope: InvitingScope,
    db: Db,
    settings: CurrentSettings,
    new: Annotated[NewInvitations, Body(unique_names=True)],
) -> InvitationAnswers:
    """Invite people by e-mail.

    Each address has an answer of its own. Nobody invites to a role above their own.
    """
    role = await get_role(db, scope, new.role)
    await count_list(request, scope)
    answers = await actions.invite_people(
        db,
        settings,
        scope,
        list(dict.fromkeys(new.emails)),
        role=role,
        message=new.message,
        facts=RequestFacts.of(request),
    )
    items = [
        InvitationAnswer(
            email=each.line,
            outcome=each.outcome,
            invitation=_invitation(each.invitation) if each.invitation else None,
        )
        for each in answers
    ]
    return InvitationAnswers(items=items)


@operation(refusals=MOVED)
async def revoke_invitation(request: Request, scope: InvitingScope, db: Db, invitation_id: UUID) -> None:
    """Revoke an invitation. Its link works no more."""
    invitation = await queries.find_invitation(db, scope, invitation_id)
    if invitation is None:
        raise HTTPException(404)
    await actions.revoke(db, scope, invitation, facts=RequestFacts.of(request))


def _invitation(invitation: Invitation) -> InvitationOut:
    return InvitationOut(
        id=invitation.id,
        email=invitation.address,
        role=role_key(role_of(invitation)),
        state=invitation.state,
        expires_at=invitation.expires_at,
        created_at=invitation.created_at,
    )

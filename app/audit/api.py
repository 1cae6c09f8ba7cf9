"""The audit log of an organization, for programs: the same query and permission as the pages."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.forms import EventQuery
from app.audit.handlers import list_name, position
from app.audit.models import AuditEvent
from app.audit.queries import find_events
from app.database import Db
from app.organizations.api import NextCursor
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.models import Scope
from app.pagination import PAGING_HEADERS, Pager, page_response
from core.openapi import operation
from core.params import Query
from core.requests import Request
from core.responses import Response


class AuditEventOut(BaseModel):
    """Something that happened. Labels are what things were called then."""

    id: UUID
    action: Annotated[str, Field(examples=["members.role_changed"])]
    actor_type: Annotated[Literal["user", "token", "system", "support"], Field(description="By what it was done.")]
    actor_id: UUID | None
    actor_label: str | None
    on_behalf_of: Annotated[UUID | None, Field(description="The person for whom a token acted.")]
    target_type: str | None
    target_id: UUID | None
    target_label: str | None
    changes: Annotated[
        dict[str, list[Any]] | None, Field(description="What each field was before, and is after.")
    ]  # Any: whatever the field holds.
    ip: str | None
    user_agent: str | None
    request_id: str | None
    created_at: datetime


class AuditEventPage(BaseModel):
    """Some of an organization's events."""

    items: list[AuditEventOut]
    next_cursor: NextCursor


@operation(refusals=MOVED, headers=PAGING_HEADERS)
async def list_audit_events(
    request: Request, scope: Annotated[Scope, Allowed("audit.view")], db: Db, query: Annotated[EventQuery, Query()]
) -> AuditEventPage | Response:
    """List the audit log of an organization.

    What happened last comes first.
    """
    pager = Pager(request, query, list_name(scope, query))
    organization_id = scope.organization.id
    events = await find_events(db, query.filter, organization_id=organization_id, after=pager.after, limit=pager.limit)
    found = pager.page(events, position)
    items = [_event(event) for event in found.rows]
    return page_response(request, AuditEventPage(items=items, next_cursor=found.next_cursor), found.next_cursor)


def _event(event: AuditEvent) -> AuditEventOut:
    return AuditEventOut.model_validate(event, from_attributes=True)

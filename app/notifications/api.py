"""A person's notifications, for programs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts.dependencies import CurrentUser
from app.database import Db
from app.notifications import actions, queries
from app.notifications.kinds import sentence
from app.notifications.models import Notification
from app.pagination import PAGING_HEADERS, PageQuery, Pager, Position, page_response
from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT
from core.openapi import operation
from core.params import Query
from core.requests import Request
from core.responses import Response


class NotificationOut(BaseModel):
    """Something that the person should know."""

    id: UUID
    kind: str
    text: Annotated[str, Field(description="In the language that the request asks for.")]
    count: Annotated[int, Field(description="How many of the same were put together.")]
    organization_id: UUID | None
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, each: Notification) -> "NotificationOut":
        return cls(
            id=each.id,
            kind=each.kind,
            text=sentence(each.kind, each.data, each.count),
            count=each.count,
            organization_id=each.about_organization_id,
            created_at=each.created_at,
            read_at=each.read_at,
        )


class NotificationPage(BaseModel):
    items: list[NotificationOut]
    next_cursor: str | None


class AllRead(BaseModel):
    count: Annotated[int, Field(description="How many were unread.")]


@operation(headers=PAGING_HEADERS)
async def list_own(
    request: Request, who: Annotated[Credential, Holding(ACCOUNT)], db: Db, page: Annotated[PageQuery, Query()]
) -> NotificationPage | Response:
    """List the person's notifications, the newest first."""
    pager = Pager(request, page, f"own notifications:{who.user.id}")
    listed = await queries.list_notifications(db, who.user.id, after=pager.after, limit=pager.limit)
    found = pager.page(listed, lambda each: Position(each.created_at, each.id))
    body = NotificationPage(items=[NotificationOut.of(each) for each in found.rows], next_cursor=found.next_cursor)
    return page_response(request, body, found.next_cursor)


async def mark_read(user: CurrentUser, db: Db, notification_id: UUID) -> NotificationOut:
    """Mark one notification as read.

    Doing it again changes nothing.
    """
    return NotificationOut.of(await actions.mark_read(db, user, notification_id))


async def mark_all_read(user: CurrentUser, db: Db) -> AllRead:
    """Mark all notifications as read."""
    return AllRead(count=await actions.mark_all_read(db, user))

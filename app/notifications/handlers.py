"""The page /notifications, and which of them a person wants where."""

from typing import Annotated, Any
from uuid import UUID

from app.accounts.dependencies import CurrentUser
from app.audit.models import RequestFacts
from app.database import Db
from app.language import gettext as _
from app.language import ngettext
from app.notifications import actions, queries
from app.notifications.kinds import KINDS, sentence
from app.notifications.models import Channel, Notification
from app.pages import path_of, see, see_path
from app.pagination import PageQuery, Pager, Position
from app.templates import flash, render
from core.params import Query
from core.requests import Request
from core.responses import JSONResponse, Response

LISTED = 30
CHANNELS = (Channel.IN_APP, Channel.EMAIL, Channel.DIGEST)


async def notifications(request: Request, user: CurrentUser, db: Db, page: Annotated[PageQuery, Query()]) -> Response:
    """Show what is new, then what was read before, newest first. What is shown counts as seen."""
    pager = Pager(request, page, f"notifications:{user.id}")
    is_first = pager.after is None
    new = await queries.list_notifications(db, user.id, is_read=False, limit=LISTED + 1) if is_first else []
    read = await queries.list_notifications(db, user.id, is_read=True, after=pager.after, limit=pager.limit)
    await actions.mark_seen(db, new[:LISTED])
    found = pager.page(read, lambda each: Position(each.created_at, each.id))
    return render(
        request,
        "notifications/notifications.html",
        new=[_shown(each) for each in new[:LISTED]],
        has_more_new=len(new) > LISTED,
        read=[_shown(each) for each in found.rows],
        next_cursor=found.next_cursor,
        is_first=is_first,
    )


async def open_notification(request: Request, user: CurrentUser, db: Db, notification_id: UUID) -> Response:
    """Note that one was read, and lead to what it is about."""
    found = await actions.mark_read(db, user, notification_id)
    return see_path(_target(request, found) or path_of(request, "notifications.notifications"))


async def mark_all_read(request: Request, user: CurrentUser, db: Db) -> Response:
    """Note that all were read."""
    count = await actions.mark_all_read(db, user)
    said = ngettext("One notification is marked as read.", "%(num)s notifications are marked as read.", count)
    flash(request, said % {"num": count})
    return see(request, "notifications.notifications")


async def count(user: CurrentUser, db: Db) -> Response:
    """How many are unread, for the bell."""
    unread = await queries.count_unread(db, user.id)
    said = ngettext("One unread notification", "%(num)s unread notifications", unread) % {"num": unread}
    return JSONResponse({"unread": unread, "label": said if unread else _("Notifications")})


async def preferences(request: Request, user: CurrentUser, db: Db) -> Response:
    """Show where a person wants each kind."""
    choices = await queries.list_choices(db, user.id)
    return render(request, "notifications/preferences.html", kinds=KINDS.values(), channels=CHANNELS, choices=choices)


async def choose(request: Request, user: CurrentUser, db: Db) -> Response:
    """Keep where a person wants each kind. A box that is not ticked is not sent, so that all are set."""
    form = await request.form()
    choices = {
        (kind.name, channel): f"{kind.name}.{channel}" in form for kind in KINDS.values() for channel in kind.channels
    }
    await actions.choose(db, user, choices, facts=RequestFacts.of(request))
    flash(request, _("Your choices are saved."))
    return see(request, "notifications.preferences")


def _shown(each: Notification) -> dict[str, Any]:  # Any: what a template shows.
    kind = KINDS.get(each.kind)
    return {
        "id": each.id,
        "sentence": sentence(each.kind, each.data, each.count),
        "at": each.created_at,
        "is_read": each.read_at is not None,
        "has_target": kind is not None,
    }


def _target(request: Request, each: Notification) -> str | None:
    kind = KINDS.get(each.kind)
    if kind is None or not set(kind.parameters) <= each.data.keys():
        return None
    return path_of(request, kind.route, **{name: each.data[name] for name in kind.parameters})

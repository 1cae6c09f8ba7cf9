"""The audit log of an organization: who did what, found by what people know of it, and as a file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from app import clock
from app.audit.actions import record_by
from app.audit.exporting import csv_lines
from app.audit.forms import EventQuery, EventWish, Through
from app.audit.models import AuditEvent, RequestFacts
from app.audit.queries import find_event, find_events
from app.audit.sentences import all_sentences
from app.config import CurrentSettings
from app.database import Database, Db
from app.language import gettext as _
from app.organizations.activity import role_names_of, sentences
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from app.pages import path_of
from app.pagination import Pager, Position
from app.templates import render
from core.exceptions import HTTPException
from core.params import Query
from core.requests import Request
from core.responses import Response, StreamingResponse

ReadingScope = Annotated[Scope, Allowed("audit.view")]
Changed = tuple[str, str, str]


async def events(
    request: Request, scope: ReadingScope, db: Db, settings: CurrentSettings, query: Annotated[EventQuery, Query()]
) -> Response:
    """Show what happened, newest first."""
    pager = Pager(request, query, list_name(scope, query))
    organization_id = scope.organization.id
    found = await find_events(db, query.filter, organization_id=organization_id, after=pager.after, limit=pager.limit)
    page = pager.page(found, position)
    return render(
        request,
        "audit/events.html",
        events=page.rows,
        said=await sentences(db, scope, page.rows, product=settings.product_name),
        query=query,
        actions=all_sentences(),
        ways=way_names(),
        days=settings.audit_retention_days,
        export_path=_path(request, "audit.export", scope, query.words),
        next_path=_path(request, "audit.events", scope, {**query.words, "cursor": page.next_cursor})
        if page.next_cursor
        else None,
    )


async def event(request: Request, scope: ReadingScope, db: Db, settings: CurrentSettings, event_id: UUID) -> Response:
    """Show all that is known of an event."""
    found = await find_event(db, event_id, organization_id=scope.organization.id)
    if found is None:
        raise HTTPException(404)
    said = await sentences(db, scope, [found], product=settings.product_name)
    return render(
        request,
        "audit/event.html",
        event=found,
        sentence=said[found.id],
        way=way_names()[found.actor_type],
        changes=changed(found, await role_names_of(db, scope, [found])),
    )


async def export(
    request: Request, scope: ReadingScope, db: Db, wish: Annotated[EventWish, Query()]
) -> StreamingResponse:
    """The events that the page would show, all of them, as a CSV file. That somebody took it is an event itself."""
    now, organization = clock.now(), scope.organization
    facts, changes = RequestFacts.of(request), {name: [None, value] for name, value in wish.words.items()}
    await record_by(db, "audit.exported", scope.user, facts, organization_id=organization.id, changes=changes)
    wanted = replace(wish.filter, before=min(wish.filter.before or now, now))
    database: Database = request.app.state.database
    name = f"audit-{organization.slug}-{now:%Y-%m-%d}.csv"
    return StreamingResponse(
        csv_lines(database, wanted, organization_id=organization.id),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


def list_name(scope: Scope, query: EventQuery) -> str:
    """What tells the pages of one organization and one filter from those of another."""
    return f"audit:{scope.organization.id}:{urlencode(query.words)}"


def position(event: AuditEvent) -> Position:
    """Where an event stands in the list."""
    return Position(event.created_at, event.id)


def way_names() -> dict[str, str]:
    """By what somebody acted, in the reader's language, for the actor types of events and for what forms call them."""
    page, token, job, staff = _("Page"), _("Access token"), _("The product itself"), _("Support, on behalf")
    named: dict[str, str] = {Through.PAGE: page, Through.TOKEN: token, Through.JOB: job, Through.STAFF: staff}
    return {**named, "user": page, "system": job, "support": staff}


def changed(event: AuditEvent, roles: Mapping[str, str]) -> list[Changed]:
    """What an event changed: the name of each field, and in words what it was and is; roles as `roles` calls their keys."""
    found = []
    for name, (before, after) in (event.changes or {}).items():
        names = roles if name == "role" else {}
        found.append((name, _in_words(before, names), _in_words(after, names)))
    return found


def _in_words(value: object, names: Mapping[str, str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return names.get(value, value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _path(request: Request, route: str, scope: Scope, words: dict[str, str]) -> str:
    path = path_of(request, route, slug=scope.organization.slug)
    return f"{path}?{urlencode(words)}" if words else path

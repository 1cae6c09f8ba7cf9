"""The page of a person's sessions and trusted devices."""

from uuid import UUID

from app.accounts.dependencies import CurrentSession, CurrentUser
from app.accounts.whereabouts import device_name, place_name
from app.audit.models import RequestFacts
from app.database import Db
from app.devices import actions, queries
from app.language import gettext as _
from app.language import ngettext
from app.pages import see
from app.templates import flash, render
from core.requests import Request
from core.responses import Response


async def sessions(request: Request, session: CurrentSession, db: Db) -> Response:
    """Show where the person is logged in, and which devices stand for their second factor."""
    return render(
        request,
        "devices/sessions.html",
        sessions=await queries.list_sessions(db, session.user),
        devices=await queries.list_trusted_devices(db, session.user),
        present=session,
        device_name=device_name,
        place_name=place_name,
    )


async def end_session(request: Request, user: CurrentUser, db: Db, session_id: UUID) -> Response:
    """End one session, wherever it is."""
    await actions.end_session(db, user, session_id, facts=RequestFacts.of(request))
    flash(request, _("That session is over."))
    return see(request, "devices.sessions")


async def end_other_sessions(request: Request, session: CurrentSession, db: Db) -> Response:
    """End every session but this one."""
    count = await actions.end_other_sessions(db, session, facts=RequestFacts.of(request))
    flash(
        request, ngettext("One other session is over.", "%(count)s other sessions are over.", count) % {"count": count}
    )
    return see(request, "devices.sessions")


async def forget_device(request: Request, user: CurrentUser, db: Db, device_id: UUID) -> Response:
    """Ask this device for the second factor again."""
    await actions.forget_device(db, user, device_id, facts=RequestFacts.of(request))
    flash(request, _("That device is asked for your second factor again."))
    return see(request, "devices.sessions")

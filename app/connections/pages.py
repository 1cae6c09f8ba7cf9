"""The page of a person's connections: what is connected, what could be, and how to end it."""

from uuid import UUID

from app.accounts.dependencies import ConfirmedSession, CurrentUser
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.connections import actions, queries
from app.connections.models import Identity
from app.database import Db
from app.language import gettext as _
from app.pages import see
from app.templates import flash, render
from core.exceptions import HTTPException
from core.requests import Request
from core.responses import Response


async def list_connections(request: Request, user: CurrentUser, db: Db, settings: CurrentSettings) -> Response:
    """Show which accounts elsewhere log the person in, and which could."""
    identities = await queries.list_identities(db, user)
    connected = {identity.provider for identity in identities}
    return render(
        request,
        "connections/list_connections.html",
        connections=[(each, actions.provider_name(settings, each.provider)) for each in identities],
        others=[provider for provider in settings.log_in_providers if provider.key not in connected],
    )


async def ask_to_disconnect(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, identity_id: UUID
) -> Response:
    """Show what ending a connection means."""
    own: list[Identity] = [each for each in await queries.list_identities(db, session.user) if each.id == identity_id]
    if not own:
        raise HTTPException(404)
    name = actions.provider_name(settings, own[0].provider)
    return render(request, "connections/disconnect.html", identity=own[0], provider_name=name)


async def disconnect(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, identity_id: UUID
) -> Response:
    """End a connection."""
    facts = RequestFacts.of(request)
    try:
        identity = await actions.disconnect(db, settings, session.user, identity_id, facts=facts)
    except actions.LastWayIn as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        if identity is None:
            raise HTTPException(404)
        name = actions.provider_name(settings, identity.provider)
        flash(request, _("%(provider)s does not log you in any more.") % {"provider": name})
    return see(request, "connections.list_connections")

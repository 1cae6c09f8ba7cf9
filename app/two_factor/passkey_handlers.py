"""/account/passkeys: making, naming and removing passkeys. The ceremonies themselves run in static/js/passkeys.js."""

from typing import Annotated
from uuid import UUID

from app.accounts.dependencies import ConfirmedSession, CurrentSession
from app.accounts.models import Session
from app.audit.models import RequestFacts
from app.config import current_settings
from app.database import Db
from app.language import gettext as _
from app.pages import NEVER_STORED, see
from app.templates import flash, render
from app.two_factor import actions, ceremonies, queries
from app.two_factor.demands import Demands, find_demand
from app.two_factor.dependencies import FactorSession
from app.two_factor.forms import PasskeyForm, PasskeyNameForm, ProofForm
from app.two_factor.handlers import after_adding
from app.two_factor.limits import limit_proof
from app.two_factor.models import Passkey
from app.two_factor.passkey_challenges import new_challenge, take_challenge
from app.two_factor.proving import prove
from app.two_factor.relying_party import RelyingParty
from core.params import Depends, Submitted
from core.requests import Request
from core.responses import Response

JSON = "application/json"


async def own_passkey(session: CurrentSession, db: Db, passkey_id: UUID) -> Passkey:
    """The passkey in the path, if it is the person's own; another's is as missing as one that never was."""
    return await queries.get_passkey(db, session.user_id, passkey_id)


OwnPasskey = Annotated[Passkey, Depends(own_passkey)]


async def passkeys(request: Request, session: CurrentSession, db: Db) -> Response:
    """List a person's passkeys."""
    return render(request, "two_factor/passkeys.html", passkeys=await queries.list_passkeys(db, session.user_id))


async def new_passkey(request: Request, session: FactorSession) -> Response:
    """Show the form that makes a passkey."""
    return _show_new(request, Submitted.blank(PasskeyForm))


async def passkey_registration_options(request: Request, session: FactorSession, db: Db) -> Response:
    """Tell the browser's script how the passkey is to be made."""
    existing = await queries.list_passkeys(db, session.user_id)
    challenge = new_challenge(request, f"register {session.id}")
    options = ceremonies.registration_options(current_settings(request), session.user, existing, challenge)
    return Response(options, media_type=JSON, headers=NEVER_STORED)


async def add_passkey(request: Request, session: FactorSession, db: Db, form: Submitted[PasskeyForm]) -> Response:
    """Keep the passkey that the browser made, and show recovery codes if it is the first second factor."""
    if not form.is_valid:
        return _show_new(request, form)
    await limit_proof(request, "set_up", session.user_id)
    try:
        codes = await actions.add_passkey(
            db,
            current_settings(request),
            session.user,
            answer=form.data.credential,
            challenge=await take_challenge(request, db, f"register {session.id}"),
            name=form.data.name,
            facts=RequestFacts.of(request),
        )
    except actions.PasskeyNameTaken as refusal:
        form.add_error("name", _(refusal.message))
    except (ceremonies.PasskeyRefused, actions.PasskeyAlreadyAdded, actions.TooManyPasskeys) as refusal:
        form.add_error("", _(refusal.message))
    else:
        return after_adding(request, codes, _("Your passkey is added."))
    return _show_new(request, form)


async def passkey(request: Request, session: CurrentSession, passkey: OwnPasskey) -> Response:
    """Show one passkey and the form that names it."""
    form = Submitted.blank(PasskeyNameForm, name=passkey.name)
    return render(request, "two_factor/passkey.html", form=form, passkey=passkey)


async def rename_passkey(
    request: Request, session: CurrentSession, passkey: OwnPasskey, db: Db, form: Submitted[PasskeyNameForm]
) -> Response:
    """Call a passkey something else."""
    if form.is_valid:
        facts = RequestFacts.of(request)
        try:
            await actions.rename_passkey(db, session.user, passkey, name=form.data.name, facts=facts)
        except actions.PasskeyNameTaken as refusal:
            form.add_error("name", _(refusal.message))
        else:
            flash(request, _("The passkey is now called %(name)s.") % {"name": form.data.name})
            return see(request, "two_factor.passkeys")
    return render(request, "two_factor/passkey.html", form=form, passkey=passkey)


async def ask_to_remove_passkey(
    request: Request, session: ConfirmedSession, passkey: OwnPasskey, db: Db, demands: Demands
) -> Response:
    """Say what removing a passkey means, and ask for a factor."""
    return await _show_removal(request, db, session, demands, passkey, Submitted.blank(ProofForm))


async def remove_passkey(
    request: Request,
    session: ConfirmedSession,
    passkey: OwnPasskey,
    db: Db,
    demands: Demands,
    form: Submitted[ProofForm],
) -> Response:
    """Remove a passkey, for somebody who has a factor at hand."""
    factors = await queries.find_factors(db, session.user_id)
    if factors.count == 1 and await find_demand(db, session.user, demands):
        return await _show_removal(request, db, session, demands, passkey, form)
    if await prove(request, db, session.user, form, purpose=f"confirm {session.id}"):
        facts = RequestFacts.of(request)
        await actions.remove_passkey(db, current_settings(request), session.user, passkey, facts=facts)
        flash(request, _("The passkey %(name)s is removed.") % {"name": passkey.name})
        return see(request, "two_factor.passkeys")
    return await _show_removal(request, db, session, demands, passkey, form)


async def passkey_confirmation_options(request: Request, session: CurrentSession, db: Db) -> Response:
    """Tell the browser's script what a person's passkey is to sign, to prove that it is them."""
    challenge = new_challenge(request, f"confirm {session.id}")
    existing = await queries.list_passkeys(db, session.user_id)
    options = ceremonies.assertion_options(current_settings(request), challenge, existing)
    return Response(options, media_type=JSON, headers=NEVER_STORED)


async def passkey_endpoints(request: Request) -> dict[str, str]:
    """Where password managers send people who want a passkey (W3C: A Well-Known URL for Relying Party Passkey Endpoints)."""
    origin = current_settings(request).base_url
    routes = {"enroll": "two_factor.new_passkey", "manage": "two_factor.passkeys"}
    return {name: f"{origin}{request.app.url_path_for(route)}" for name, route in routes.items()}


def _show_new(request: Request, form: Submitted[PasskeyForm]) -> Response:
    party = RelyingParty.of(current_settings(request))
    return render(request, "two_factor/new_passkey.html", form=form, party=party)


async def _show_removal(
    request: Request, db: Db, session: Session, demands: Demands, passkey: Passkey, form: Submitted[ProofForm]
) -> Response:
    factors = await queries.find_factors(db, session.user_id)
    demand = await find_demand(db, session.user, demands) if factors.count == 1 else None
    return render(
        request,
        "two_factor/remove_passkey.html",
        form=form,
        passkey=passkey,
        factors=factors,
        demand=demand,
        party=RelyingParty.of(current_settings(request)),
        status_code=409 if demand else None,
    )

"""/account/two-factor: the authenticator app and the recovery codes."""

from app.accounts.dependencies import ConfirmedSession, CurrentSession
from app.accounts.models import Session, User
from app.audit.models import RequestFacts
from app.config import current_settings
from app.database import Db
from app.language import gettext as _
from app.pages import NEVER_STORED, see
from app.templates import flash, render
from app.two_factor import actions, authenticator_app, queries
from app.two_factor.demands import Demands, find_demand
from app.two_factor.dependencies import FactorSession
from app.two_factor.forms import CodeForm, ProofForm
from app.two_factor.limits import limit_proof
from app.two_factor.proving import prove
from app.two_factor.queries import Factors
from app.two_factor.relying_party import RelyingParty
from core.params import Submitted
from core.requests import Request
from core.responses import Response


async def overview(request: Request, session: CurrentSession, db: Db) -> Response:
    """Show which second factors a person has, and what they can do about them."""
    factors = await queries.find_factors(db, session.user_id)
    return render(request, "two_factor/overview.html", factors=factors)


async def set_up_app(request: Request, session: FactorSession, db: Db) -> Response:
    """Show how an authenticator app is set up: first what is needed, then the key and the field for a first code."""
    factors = await queries.find_factors(db, session.user_id)
    return _show_set_up(request, session.user, factors, Submitted.blank(CodeForm))


async def begin_app(request: Request, session: FactorSession, db: Db) -> Response:
    """Make a key for an authenticator app."""
    try:
        await actions.begin_app(db, current_settings(request), session.user)
    except actions.AppAlreadySetUp as refusal:
        flash(request, _(refusal.message), "info")
        return see(request, "two_factor.overview")
    return see(request, "two_factor.set_up_app")


async def confirm_app(request: Request, session: FactorSession, db: Db, form: Submitted[CodeForm]) -> Response:
    """Turn the app on by a first code from it, and show recovery codes if it is the first second factor."""
    if form.is_valid:
        await limit_proof(request, "set_up", session.user_id)
        facts, settings = RequestFacts.of(request), current_settings(request)
        try:
            codes = await actions.confirm_app(db, settings, session.user, code=form.data.code, facts=facts)
        except actions.WrongCode as refusal:
            form.add_error("code", _(refusal.message))
        except actions.SetUpTookTooLong as refusal:
            flash(request, _(refusal.message), "warning")
            return see(request, "two_factor.set_up_app")
        else:
            return after_adding(request, codes, _("Your authenticator app is set up."))
    factors = await queries.find_factors(db, session.user_id)
    return _show_set_up(request, session.user, factors, form)


async def ask_to_remove_app(request: Request, session: ConfirmedSession, db: Db, demands: Demands) -> Response:
    """Say what removing the app means, and ask for a factor."""
    return await _show_removal(request, db, session, demands, Submitted.blank(ProofForm))


async def remove_app(
    request: Request, session: ConfirmedSession, db: Db, demands: Demands, form: Submitted[ProofForm]
) -> Response:
    """Remove the authenticator app, for somebody who has a factor at hand."""
    factors = await queries.find_factors(db, session.user_id)
    if not factors.has_app or (factors.count == 1 and await find_demand(db, session.user, demands)):
        return see(request, "two_factor.ask_to_remove_app")
    if await prove(request, db, session.user, form, purpose=f"confirm {session.id}"):
        await actions.remove_app(db, current_settings(request), session.user, facts=RequestFacts.of(request))
        flash(request, _("Your authenticator app is removed."))
        return see(request, "two_factor.overview")
    return await _show_removal(request, db, session, demands, form)


async def ask_for_recovery_codes(request: Request, session: FactorSession, db: Db) -> Response:
    """Say what new recovery codes mean."""
    factors = await queries.find_factors(db, session.user_id)
    if factors.count == 0:
        return see(request, "two_factor.overview")
    return render(request, "two_factor/replace_recovery_codes.html", factors=factors)


async def replace_recovery_codes(request: Request, session: FactorSession, db: Db) -> Response:
    """Make new recovery codes and show them, this once."""
    await limit_proof(request, "recovery_codes", session.user_id)
    codes = await actions.replace_recovery_codes(
        db, current_settings(request), session.user, facts=RequestFacts.of(request)
    )
    return _show_codes(request, codes)


def after_adding(request: Request, codes: list[str], message: str) -> Response:
    """Answer to somebody who added a factor: the recovery codes that come with the first one, or the overview."""
    if codes:
        return _show_codes(request, codes, message)
    flash(request, message)
    return see(request, "two_factor.overview")


def _show_codes(request: Request, codes: list[str], message: str = "") -> Response:
    """The codes are in this answer and nowhere else: the page has no address at which they could be seen again."""
    return render(request, "two_factor/recovery_codes.html", headers=NEVER_STORED, codes=codes, message=message)


def _show_set_up(request: Request, user: User, factors: Factors, form: Submitted[CodeForm]) -> Response:
    if factors.has_app:
        return see(request, "two_factor.overview")
    settings, totp = current_settings(request), factors.totp
    if totp is None or not authenticator_app.is_waiting(totp):
        return render(request, "two_factor/begin_app.html", form=form)
    secret = authenticator_app.secret_of(settings, totp)
    picture = authenticator_app.qr_code(settings, user, secret)
    return render(request, "two_factor/set_up_app.html", form=form, secret=secret, picture=picture)


async def _show_removal(
    request: Request, db: Db, session: Session, demands: Demands, form: Submitted[ProofForm]
) -> Response:
    factors = await queries.find_factors(db, session.user_id)
    if not factors.has_app:
        return see(request, "two_factor.overview")
    demand = await find_demand(db, session.user, demands) if factors.count == 1 else None
    return render(
        request,
        "two_factor/remove_app.html",
        form=form,
        factors=factors,
        demand=demand,
        party=RelyingParty.of(current_settings(request)),
        status_code=409 if demand else None,
    )

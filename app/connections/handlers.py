"""Going to a provider and coming back: to log in, to sign up, or to connect an account to the person who is logged in."""

from uuid import UUID

import structlog

from app.accounts import pending
from app.accounts import queries as accounts
from app.accounts.admission import address_problem, closed_door
from app.accounts.dependencies import ConfirmedSession, optional_session
from app.accounts.entering import enter
from app.accounts.limits import limit
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import ENTERING
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings
from app.connections import actions, queries, states
from app.connections.client import Client, Return
from app.connections.dependencies import CurrentClient
from app.connections.forms import StartForm
from app.connections.limits import COMING_BACK, DEPARTURE
from app.connections.models import Identity, OauthState
from app.connections.person import Person
from app.connections.problems import ProofRefused, ProviderFailed
from app.database import Db
from app.language import gettext as _
from app.organizations.actions import create_personal_organization
from app.pages import UNTRACED, path_of
from app.templates import flash, render
from core.params import Submitted
from core.requests import Request
from core.responses import RedirectResponse, Response

log = structlog.get_logger(__name__)


async def start(request: Request, client: CurrentClient, db: Db, form: Submitted[StartForm]) -> Response:
    """Send somebody to a provider, to log in or to sign up."""
    await limit(request, DEPARTURE)
    return await _depart(request, client, db, next_path=form.data.next if form.is_valid else "")


async def ask_to_connect(request: Request, session: ConfirmedSession, client: CurrentClient) -> Response:
    """Ask somebody who is logged in whether they want to connect an account elsewhere."""
    return render(request, "connections/ask_to_connect.html", provider=client.provider)


async def start_connecting(request: Request, session: ConfirmedSession, client: CurrentClient, db: Db) -> Response:
    """Send somebody who is logged in to a provider, to connect the account there."""
    return await _depart(request, client, db, user_id=session.user_id)


async def callback(request: Request, client: CurrentClient, db: Db, settings: CurrentSettings) -> Response:
    """Take somebody back from a provider: log them in, sign them up, or connect the account.

    While the provider is asked, no transaction is open; the state is used up in one of its own before.
    """
    await limit(request, COMING_BACK)
    state = await _take_state(request, client)
    if state is None:
        return _problem(request, client, "expired", 400)
    if "error" in request.query_params or not request.query_params.get("code"):
        return _problem(request, client, "cancelled", 400)
    try:
        person = await client.person(_returned(request), code_verifier=state.code_verifier, nonce=state.nonce)
    except ProviderFailed as problem:
        is_refused = isinstance(problem, ProofRefused)
        log.warning("connections.failed", provider=client.provider.key, problem=str(problem), is_refused=is_refused)
        await record(db, "connections.refused", actor_id=None, request=RequestFacts.of(request))
        return _problem(request, client, "refused" if is_refused else "failed", 400 if is_refused else 502)
    if state.user_id is not None:
        return await _connect(request, client, db, settings, state, person)
    return await _log_in(request, client, db, settings, state, person)


async def _depart(
    request: Request, client: Client, db: Db, *, next_path: str = "", user_id: UUID | None = None
) -> Response:
    """A page that leads on at once. A redirect would not do: `form-action` forbids a form to lead to another site."""
    departure = await states.begin(
        db,
        provider=client.provider.key,
        browser=pending.browser_key(request),
        next_path=next_path,
        user_id=user_id,
    )
    try:
        address = await client.address(departure)
    except ProviderFailed as problem:
        log.warning("connections.failed", provider=client.provider.key, problem=str(problem))
        return _problem(request, client, "failed", 502)
    return render(request, "connections/start.html", headers=UNTRACED, provider=client.provider, address=address)


async def _take_state(request: Request, client: Client) -> OauthState | None:
    state, browser = request.query_params.get("state", ""), str(request.session.get(pending.BROWSER, ""))
    async with request.app.state.database.transaction() as own:
        return await states.take(own, state, provider=client.provider.key, browser=browser) if state else None


def _returned(request: Request) -> Return:
    return Return(code=request.query_params["code"], issuer=request.query_params.get("iss"))


async def _connect(
    request: Request, client: Client, db: Db, settings: Settings, state: OauthState, person: Person
) -> Response:
    session = await optional_session(request, db)
    if session is None or session.user_id != state.user_id:
        return _problem(request, client, "expired", 400)
    try:
        facts = RequestFacts.of(request)
        await actions.connect(db, settings, session.user, client.provider, person, facts=facts)
    except (actions.ConnectedElsewhere, actions.AlreadyConnected) as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("You can log in with %(provider)s from now on.") % {"provider": client.provider.name})
    path = path_of(request, "connections.list_connections")
    return RedirectResponse(path, status_code=303, headers=UNTRACED)


async def _log_in(
    request: Request, client: Client, db: Db, settings: Settings, state: OauthState, person: Person
) -> Response:
    identity = await queries.find_identity(db, person)
    if identity is not None:
        return await _let_in(request, client, db, identity, state, person)
    if not person.proved_email:
        return _problem(request, client, "unverified", 403)
    if await accounts.is_address_owned(db, person.proved_email):
        address = pending.masked(person.proved_email)
        return render(request, "connections/known.html", headers=UNTRACED, provider=client.provider, address=address)
    if closed := closed_door(request, settings, status_code=403):
        return closed
    if problem := address_problem(request, settings, person.proved_email):
        return _problem(request, client, "not_admitted", 403, detail=problem)
    return await _sign_up(request, client, db, settings, state, person)


async def _let_in(
    request: Request, client: Client, db: Db, identity: Identity, state: OauthState, person: Person
) -> Response:
    if identity.user.status not in ENTERING:
        return _problem(request, client, "refused", 403)
    await actions.note_used(db, identity, person)
    return await enter(request, db, identity.user, method=client.provider.key, next_path=state.next_path)


async def _sign_up(
    request: Request, client: Client, db: Db, settings: Settings, state: OauthState, person: Person
) -> Response:
    facts = RequestFacts.of(request)
    try:
        user = await actions.sign_up(db, settings, client.provider, person, facts=facts)
    except LinkDoesNotWork:
        return _problem(request, client, "failed", 409)
    await create_personal_organization(db, user, facts=facts)
    flash(request, _("Welcome! Your account is ready."))
    return await enter(request, db, user, method=client.provider.key, next_path=state.next_path)


def _problem(request: Request, client: Client, kind: str, status_code: int, *, detail: str = "") -> Response:
    """Say what went wrong and what to do; what exactly a provider said is in the log."""
    name = "connections/problem.html"
    return render(
        request, name, status_code=status_code, headers=UNTRACED, kind=kind, provider=client.provider, detail=detail
    )

"""The pages for somebody who lost every second factor: asking for their removal, stopping it, and finishing it."""

from dataclasses import dataclass
from typing import Annotated, Any

from app.accounts import limits, pending
from app.accounts.dependencies import OptionalSession
from app.accounts.link_pages import keep_link, link_does_not_work
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import User
from app.accounts.sessions import delete_session_cookie
from app.accounts.whereabouts import device_name, place_name
from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings
from app.database import Db
from app.language import gettext as _
from app.pages import NEVER_STORED, UNTRACED, see
from app.passwords.actions import WrongPassword
from app.templates import flash, render
from app.two_factor import lost_access as actions
from app.two_factor.challenge_handlers import current_challenge
from app.two_factor.forms import FinishForm, LinkForm
from app.two_factor.limits import limit_asking
from app.two_factor.lost_access import FINISH, STOP
from core.exceptions import HTTPException
from core.params import Depends, Query, Submitted
from core.requests import Request
from core.responses import Response

TokenQuery = Annotated[str, Query()]


@dataclass(frozen=True)
class LinkPage:
    """The page behind one kind of mailed link."""

    route: str
    template: str
    form: type[LinkForm]


PAGES = {
    STOP: LinkPage("two_factor.show_stop", "two_factor/stop_removal.html", LinkForm),
    FINISH: LinkPage("two_factor.show_finish", "two_factor/finish_removal.html", FinishForm),
}


@dataclass(frozen=True)
class PersonWithoutFactor:
    """Somebody who has a second factor and none at hand: between the proofs of a log-in, or in a browser that they trusted."""

    user: User
    is_signed_in: bool


async def find_person(request: Request, session: OptionalSession, db: Db) -> PersonWithoutFactor:
    """Whoever is signed in and has a second factor, or gave a first proof; others are led to the log-in page."""
    if session is not None and session.user.second_factor_at is not None:
        return PersonWithoutFactor(session.user, is_signed_in=True)
    return PersonWithoutFactor((await current_challenge(request, db)).user, is_signed_in=False)


CurrentPerson = Annotated[PersonWithoutFactor, Depends(find_person)]


async def lost_access(request: Request, person: CurrentPerson, db: Db, settings: CurrentSettings) -> Response:
    """Say what helps somebody who has none of their factors at hand, and how far their request is."""
    asked = await actions.find_open(db, person.user.id)
    return render(
        request,
        "two_factor/lost_access.html",
        headers=NEVER_STORED,
        asked=asked,
        days=settings.lost_access_days,
        is_signed_in=person.is_signed_in,
    )


async def ask_for_removal(request: Request, person: CurrentPerson, db: Db, settings: CurrentSettings) -> Response:
    """Begin the waiting period after which the factors can be removed."""
    if settings.lost_access_days == 0:
        raise HTTPException(404)
    await limit_asking(request, person.user.id)
    await actions.ask(db, settings, person.user, facts=RequestFacts.of(request))
    return see(request, "two_factor.lost_access")


async def show_stop(request: Request, db: Db, settings: CurrentSettings, token: TokenQuery = "") -> Response:
    """Show what a mailed link stops. Mail programs open links by themselves, so only the button acts."""
    return await _show(request, db, settings, STOP, token)


async def stop_removal(request: Request, db: Db, settings: CurrentSettings, form: Submitted[LinkForm]) -> Response:
    """Keep the factors."""
    await limits.limit(request, limits.LINK)
    token = form.data.token if form.is_valid else ""
    try:
        await actions.stop(db, settings, token=token, facts=RequestFacts.of(request))
    except LinkDoesNotWork:
        return link_does_not_work(request, STOP)
    pending.forget_link(request, STOP)
    flash(request, _("Your second factors stay. Somebody may know your password, so set a new one."))
    return see(request, "passwords.forgot_password")


async def show_finish(request: Request, db: Db, settings: CurrentSettings, token: TokenQuery = "") -> Response:
    """Show what a mailed link removes, and ask for the password."""
    return await _show(request, db, settings, FINISH, token)


async def finish_removal(request: Request, db: Db, settings: CurrentSettings, form: Submitted[FinishForm]) -> Response:
    """Remove every second factor."""
    token = str(form.values.get("token") or "")
    await limits.limit(request, limits.CONFIRM, token[: pending.LONGEST_TOKEN])
    if not form.is_valid:
        return await _show_page(request, db, settings, FINISH, form, token)
    password = form.data.password.get_secret_value()
    try:
        await actions.finish(db, settings, token=token, password=password, facts=RequestFacts.of(request))
    except WrongPassword as refusal:
        form.add_error("password", _(refusal.message))
        return await _show_page(request, db, settings, FINISH, form, token)
    except LinkDoesNotWork:
        return link_does_not_work(request, FINISH)
    request.session.clear()
    flash(request, _("Your second factors are removed. Log in, and set up new ones."))
    response = see(request, "accounts.log_in")
    delete_session_cookie(response, settings)
    return response


async def _show(request: Request, db: Db, settings: Settings, purpose: str, token: str) -> Response:
    page = PAGES[purpose]
    if token:
        return keep_link(request, purpose, token, page.route)
    held = pending.pending_link(request, purpose)
    return await _show_page(request, db, settings, purpose, Submitted.blank(page.form, token=held), held)


async def _show_page(
    request: Request, db: Db, settings: Settings, purpose: str, form: Submitted[Any], token: str
) -> Response:  # Any: of the page's form.
    asked = await actions.find_mailed(db, settings, purpose, token)
    if asked is None:
        return link_does_not_work(request, purpose)
    return render(
        request,
        PAGES[purpose].template,
        headers=UNTRACED,
        form=form,
        asked=asked,
        device=device_name(asked.user_agent),
        place=place_name(asked.ip),
    )

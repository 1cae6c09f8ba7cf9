"""The pages on which people log in by mail."""

from typing import Annotated

from app.accounts import limits, pending
from app.accounts.codes import CodeDoesNotWork
from app.accounts.dependencies import SignedOut
from app.accounts.entering import enter
from app.accounts.even_time import EvenTime
from app.accounts.link_pages import keep_link, link_does_not_work
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Purpose
from app.accounts.queries import find_link
from app.accounts.redirects import safe_path
from app.audit.models import RequestFacts
from app.codes import actions
from app.codes.forms import AskForm, CodeForm, LinkForm
from app.config import CurrentSettings
from app.database import Db
from app.language import gettext as _
from app.organizations.actions import create_personal_organization
from app.pages import UNTRACED, see
from app.templates import render
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

Next = Annotated[str, Query("next")]


async def ask(request: Request, _stranger: SignedOut, next_path: Next = "") -> Response:
    """Ask to which address the message should go."""
    return render(request, "codes/ask.html", form=Submitted.blank(AskForm, next=safe_path(next_path)))


async def send(
    request: Request,
    _even: EvenTime,
    _stranger: SignedOut,
    db: Db,
    settings: CurrentSettings,
    form: Submitted[AskForm],
) -> Response:
    """Mail a link and a code; the answer is the same whether the address has an account or not."""
    if not form.is_valid:
        return render(request, "codes/ask.html", form=form)
    await limits.limit(request, limits.MESSAGE, form.data.email)
    browser, facts = await pending.browser_for_code(request, form.data.email), RequestFacts.of(request)
    await actions.request_log_in(db, settings, email=form.data.email, browser=browser, facts=facts)
    pending.remember_address(request, form.data.email, form.data.next, is_remembered=form.data.remember)
    return see(request, "codes.check_mail")


async def check_mail(request: Request, _stranger: SignedOut) -> Response:
    """Say that a message is on its way, and take the code in it."""
    return _show_code(request, Submitted.blank(CodeForm))


async def log_in_with_code(
    request: Request, _stranger: SignedOut, db: Db, settings: CurrentSettings, form: Submitted[CodeForm]
) -> Response:
    """Log in by the code of the message that this browser asked for."""
    if form.is_valid:
        await limits.limit(request, limits.CODE, pending.pending_address(request))
        browser, facts = pending.browser_key(request), RequestFacts.of(request)
        try:
            arrival = await actions.take_code(db, settings, browser=browser, digits=form.data.code, facts=facts)
        except CodeDoesNotWork as refusal:
            form.add_error("code", _(refusal.message))
        else:
            return await _enter(request, db, arrival, method="code")
    return _show_code(request, form)


async def link(request: Request, _stranger: SignedOut, db: Db, token: Annotated[str, Query()] = "") -> Response:
    """Show as whom a mailed link logs in. Mail programs open links by themselves, so only the button acts."""
    if token:
        return keep_link(request, Purpose.LOG_IN, token, "codes.link")
    held = pending.pending_link(request, Purpose.LOG_IN)
    email = await find_link(db, held, Purpose.LOG_IN)
    if email is None:
        return link_does_not_work(request, Purpose.LOG_IN)
    form = Submitted.blank(LinkForm, token=held)
    return render(request, "codes/link.html", headers=UNTRACED, form=form, address=email.address)


async def log_in_with_link(request: Request, _stranger: SignedOut, db: Db, form: Submitted[LinkForm]) -> Response:
    """Log in by a mailed link."""
    await limits.limit(request, limits.LINK)
    token = form.data.token if form.is_valid else ""
    try:
        arrival = await actions.take_link(db, token=token, facts=RequestFacts.of(request))
    except LinkDoesNotWork:
        return link_does_not_work(request, Purpose.LOG_IN)
    return await _enter(request, db, arrival, method="link")


async def _enter(request: Request, db: Db, arrival: actions.Arrival, *, method: str) -> Response:
    if arrival.is_new:
        await create_personal_organization(db, arrival.user, facts=RequestFacts.of(request))
    return await enter(
        request,
        db,
        arrival.user,
        method=method,
        next_path=pending.pending_next(request),
        is_remembered=pending.is_remembered(request),
    )


def _show_code(request: Request, form: Submitted[CodeForm]) -> Response:
    address = pending.pending_address(request)
    if not address:
        return see(request, "codes.ask")
    return render(request, "codes/check_mail.html", form=form, address=pending.masked(address))

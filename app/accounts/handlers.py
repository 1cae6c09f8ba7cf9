"""The entry pages: signing up, proving an address, logging in and out."""

from typing import Annotated

from app.accounts import actions, limits, pending, queries, signing_up
from app.accounts.admission import address_problem, closed_door
from app.accounts.choosing import WeakPassword
from app.accounts.codes import CodeDoesNotWork
from app.accounts.dependencies import OptionalSession, SignedOut
from app.accounts.entering import enter
from app.accounts.even_time import EvenTime
from app.accounts.forms import LogInForm, SignUpForm, VerifyCodeForm, VerifyEmailForm
from app.accounts.last_method import last_method
from app.accounts.link_pages import keep_link, link_does_not_work
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Purpose, User
from app.accounts.redirects import log_in_path, safe_path
from app.accounts.sessions import delete_session_cookie
from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings
from app.database import Db
from app.language import gettext as _
from app.organizations.actions import create_personal_organization
from app.pages import UNTRACED, path_of, see, see_path
from app.templates import flash, render
from app.two_factor.relying_party import RelyingParty
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

Next = Annotated[str, Query("next")]


async def sign_up(request: Request, _stranger: SignedOut, settings: CurrentSettings, next_path: Next = "") -> Response:
    """Show the sign-up form."""
    invited = pending.pending_invitation(request)
    form = Submitted.blank(SignUpForm, next=safe_path(next_path), email=invited or None)
    return closed_door(request, settings) or render(request, "accounts/sign_up.html", form=form)


async def create_account(
    request: Request, _stranger: SignedOut, db: Db, settings: CurrentSettings, form: Submitted[SignUpForm]
) -> Response:
    """Claim an address and mail its owner; the answer is the same whether the address has an account or not."""
    if closed := closed_door(request, settings, status_code=403):
        return closed
    if form.is_valid and (problem := address_problem(request, settings, form.data.email)):
        form.add_error("email", problem)
    if form.is_valid:
        await limits.limit(request, limits.SIGN_UP, form.data.email)
        try:
            await signing_up.sign_up(
                db,
                settings,
                name=form.data.name,
                email=form.data.email,
                password=form.data.password.get_secret_value(),
                browser=await pending.browser_for_code(request, form.data.email),
                facts=RequestFacts.of(request),
            )
        except WeakPassword as refusal:
            form.add_error("password", _(refusal.message))
        else:
            pending.remember_address(request, form.data.email, form.data.next)
            return see(request, "accounts.check_mail")
    return render(request, "accounts/sign_up.html", form=form)


async def check_mail(request: Request, _stranger: SignedOut) -> Response:
    """Say that a message is on its way, take the code in it, and offer another one."""
    return _show_check_mail(request, Submitted.blank(VerifyCodeForm))


async def confirm_email_with_code(
    request: Request, _stranger: SignedOut, db: Db, settings: CurrentSettings, form: Submitted[VerifyCodeForm]
) -> Response:
    """Prove an address by the code of the message that this browser caused."""
    if form.is_valid:
        await limits.limit(request, limits.CODE, pending.pending_address(request))
        browser, facts = pending.browser_key(request), RequestFacts.of(request)
        try:
            user = await signing_up.verify_email_by_code(
                db, settings, browser=browser, digits=form.data.code, facts=facts
            )
        except CodeDoesNotWork as refusal:
            form.add_error("code", _(refusal.message))
        else:
            return await _welcome(request, db, user)
    return _show_check_mail(request, form)


async def send_verification_again(request: Request, _even: EvenTime, db: Db, settings: CurrentSettings) -> Response:
    """Mail the link that proves the address once more."""
    address = pending.pending_address(request)
    if not address:
        return see(request, "accounts.sign_up")
    await _send_verification_again(request, db, settings, address)
    flash(request, _("We sent the message again. It may take a minute to arrive."))
    return see(request, "accounts.check_mail")


async def verify_email(request: Request, db: Db, token: Annotated[str, Query()] = "") -> Response:
    """Show whose address a mailed link proves. Mail programs open links by themselves, so only the button acts."""
    if token:
        return keep_link(request, Purpose.VERIFY, token, "accounts.verify_email")
    held = pending.pending_link(request, Purpose.VERIFY)
    if not held and pending.pending_address(request):
        return see(request, "accounts.check_mail")
    email = await queries.find_link(db, held, Purpose.VERIFY)
    if email is None:
        return link_does_not_work(request, Purpose.VERIFY)
    form = Submitted.blank(VerifyEmailForm, token=held)
    return render(request, "accounts/verify_email.html", headers=UNTRACED, form=form, address=email.address)


async def confirm_email(request: Request, db: Db, form: Submitted[VerifyEmailForm]) -> Response:
    """Prove an address by its mailed link; the account gets its own organization."""
    await limits.limit(request, limits.LINK)
    facts = RequestFacts.of(request)
    try:
        user = await signing_up.verify_email(db, token=form.data.token if form.is_valid else "", facts=facts)
    except LinkDoesNotWork:
        return link_does_not_work(request, Purpose.VERIFY)
    return await _welcome(request, db, user)


async def log_in(request: Request, _stranger: SignedOut, settings: CurrentSettings, next_path: Next = "") -> Response:
    """Show the log-in form, and which way was used here last."""
    return _show_log_in(request, settings, Submitted.blank(LogInForm, next=safe_path(next_path)))


async def log_in_with_password(
    request: Request, _stranger: SignedOut, db: Db, settings: CurrentSettings, form: Submitted[LogInForm]
) -> Response:
    """Start a session, and lead to the page that was asked for or to the organization that was open last."""
    if form.is_valid:
        await limits.limit_log_in(request, form.data.email)
        password = form.data.password.get_secret_value()
        try:
            user = await actions.check_password(
                db, email=form.data.email, password=password, facts=RequestFacts.of(request)
            )
        except actions.WrongCredentials as refusal:
            form.add_error("", _(refusal.message))
        except actions.AddressNotVerified as refusal:
            return await _ask_for_proof(request, db, settings, refusal.address, form.data.next)
        else:
            return await enter(
                request, db, user, method="password", next_path=form.data.next, is_remembered=form.data.remember
            )
    return _show_log_in(request, settings, form)


async def log_out(request: Request, db: Db, settings: CurrentSettings, session: OptionalSession) -> Response:
    """End the session, and have the browser forget what it kept of the pages behind it."""
    if session is not None:
        await actions.log_out(db, session, facts=RequestFacts.of(request))
    request.session.clear()
    flash(request, _("You are logged out."))
    response = see(request, "accounts.log_in")
    delete_session_cookie(response, settings)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


async def _welcome(request: Request, db: Db, user: User) -> Response:
    await create_personal_organization(db, user, facts=RequestFacts.of(request))
    pending.forget_link(request, Purpose.VERIFY)
    flash(request, _("Your e-mail address is confirmed. You can log in now."))
    return _see_log_in(request)


def _show_log_in(request: Request, settings: Settings, form: Submitted[LogInForm]) -> Response:
    party = RelyingParty.of(settings)
    return render(request, "accounts/log_in.html", form=form, last_method=last_method(request, settings), party=party)


def _show_check_mail(request: Request, form: Submitted[VerifyCodeForm]) -> Response:
    address = pending.pending_address(request)
    if not address:
        return see(request, "accounts.sign_up")
    return render(request, "accounts/check_mail.html", form=form, address=pending.masked(address))


async def _ask_for_proof(request: Request, db: Db, settings: Settings, address: str, next_path: str) -> Response:
    """The password is right, so this is the person who signed up: send them the link again."""
    await _send_verification_again(request, db, settings, address)
    pending.remember_address(request, address, next_path)
    flash(request, _("Confirm your e-mail address first. We sent you the link again."), "info")
    return see(request, "accounts.check_mail")


async def _send_verification_again(request: Request, db: Db, settings: Settings, address: str) -> None:
    await limits.limit(request, limits.MESSAGE, address)
    browser = await pending.browser_for_code(request, address)
    await signing_up.send_verification_again(db, settings, email=address, browser=browser)


def _see_log_in(request: Request) -> Response:
    target = pending.pending_next(request)
    path = path_of(request, "accounts.log_in")
    return see_path(log_in_path(path, target))

"""The entry pages: signing up, proving an address, logging in and out, new passwords."""

from typing import Annotated

from app.accounts import actions, limits, pending, queries, signing_up
from app.accounts.choosing import WeakPassword
from app.accounts.dependencies import OptionalSession, SignedOut
from app.accounts.entering import enter
from app.accounts.forms import ForgotPasswordForm, LogInForm, ResetPasswordForm, SignUpForm, VerifyEmailForm
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Purpose
from app.accounts.redirects import log_in_path, safe_path
from app.accounts.sessions import delete_session_cookie
from app.audit.models import RequestFacts
from app.config import Settings, current_settings
from app.database import Db
from app.language import gettext as _
from app.organizations.actions import create_personal_organization
from app.templates import flash, render
from core.params import Depends, Query, Submitted
from core.requests import Request
from core.responses import RedirectResponse, Response

CurrentSettings = Annotated[Settings, Depends(current_settings)]
Next = Annotated[str, Query("next")]
# A page that was opened by a secret link tells nobody where its visitor came from.
UNTRACED = {"referrer-policy": "no-referrer", "cache-control": "no-store"}


async def sign_up(request: Request, _stranger: SignedOut, settings: CurrentSettings, next_path: Next = "") -> Response:
    """Show the sign-up form."""
    if settings.sign_up == "closed":
        return render(request, "accounts/sign_up_closed.html")
    return render(request, "accounts/sign_up.html", form=Submitted.blank(SignUpForm, next=safe_path(next_path)))


async def create_account(
    request: Request, _stranger: SignedOut, db: Db, settings: CurrentSettings, form: Submitted[SignUpForm]
) -> Response:
    """Claim an address and mail its owner; the answer is the same whether the address has an account or not."""
    if settings.sign_up == "closed":
        return render(request, "accounts/sign_up_closed.html", status_code=403)
    if form.is_valid:
        await limits.limit(request, limits.SIGN_UP, form.data.email)
        try:
            await signing_up.sign_up(
                db,
                settings,
                name=form.data.name,
                email=form.data.email,
                password=form.data.password.get_secret_value(),
                facts=RequestFacts.of(request),
            )
        except WeakPassword as refusal:
            form.add_error("password", _(refusal.message))
        else:
            pending.remember_address(request, form.data.email, form.data.next)
            return _see(request, "accounts.check_mail")
    return render(request, "accounts/sign_up.html", form=form)


async def check_mail(request: Request, _stranger: SignedOut) -> Response:
    """Say that a message is on its way, and offer another one."""
    address = pending.pending_address(request)
    if not address:
        return _see(request, "accounts.sign_up")
    headers = {"cache-control": "no-store"}
    return render(request, "accounts/check_mail.html", headers=headers, address=pending.masked(address))


async def send_verification_again(request: Request, db: Db, settings: CurrentSettings) -> Response:
    """Mail the link that proves the address once more."""
    address = pending.pending_address(request)
    if not address:
        return _see(request, "accounts.sign_up")
    await limits.limit(request, limits.MESSAGE, address)
    await signing_up.send_verification_again(db, settings, email=address)
    flash(request, _("We sent the message again. It may take a minute to arrive."))
    return _see(request, "accounts.check_mail")


async def verify_email(request: Request, db: Db, token: Annotated[str, Query()] = "") -> Response:
    """Show whose address a mailed link proves. Mail programs open links by themselves, so only the button acts."""
    if token:
        return _keep_link(request, Purpose.VERIFY, token, "accounts.verify_email")
    held = pending.pending_link(request, Purpose.VERIFY)
    if not held and pending.pending_address(request):
        return _see(request, "accounts.check_mail")
    email = await queries.find_link(db, held, Purpose.VERIFY)
    if email is None:
        return _link_does_not_work(request, Purpose.VERIFY)
    form = Submitted.blank(VerifyEmailForm, token=held)
    return render(request, "accounts/verify_email.html", headers=UNTRACED, form=form, address=email.address)


async def confirm_email(request: Request, db: Db, form: Submitted[VerifyEmailForm]) -> Response:
    """Prove an address by its mailed link; the account gets its own organization."""
    await limits.limit(request, limits.LINK)
    facts = RequestFacts.of(request)
    try:
        user = await signing_up.verify_email(db, token=form.data.token if form.is_valid else "", facts=facts)
    except LinkDoesNotWork:
        return _link_does_not_work(request, Purpose.VERIFY)
    await create_personal_organization(db, user, facts=facts)
    pending.forget_link(request, Purpose.VERIFY)
    flash(request, _("Your e-mail address is confirmed. You can log in now."))
    return _see_log_in(request)


async def log_in(request: Request, _stranger: SignedOut, next_path: Next = "") -> Response:
    """Show the log-in form."""
    form = Submitted.blank(LogInForm, next=safe_path(next_path))
    return render(request, "accounts/log_in.html", form=form)


async def log_in_with_password(
    request: Request, _stranger: SignedOut, db: Db, settings: CurrentSettings, form: Submitted[LogInForm]
) -> Response:
    """Start a session, and lead to the page that was asked for or to the organization that was open last."""
    if form.is_valid:
        await limits.limit(request, limits.LOG_IN, form.data.email)
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
            return await enter(request, db, user, method="password", next_path=form.data.next)
    return render(request, "accounts/log_in.html", form=form)


async def log_out(request: Request, db: Db, settings: CurrentSettings, session: OptionalSession) -> Response:
    """End the session, and have the browser forget what it kept of the pages behind it."""
    if session is not None:
        await actions.log_out(db, session, facts=RequestFacts.of(request))
    request.session.clear()
    flash(request, _("You are logged out."))
    response = _see(request, "accounts.log_in")
    delete_session_cookie(response, settings)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


async def forgot_password(request: Request, _stranger: SignedOut) -> Response:
    """Ask for the address whose password was forgotten."""
    return render(request, "accounts/forgot_password.html", form=Submitted.blank(ForgotPasswordForm))


async def request_password_reset(
    request: Request, db: Db, settings: CurrentSettings, form: Submitted[ForgotPasswordForm]
) -> Response:
    """Mail a link that sets a new password; the answer is the same whether the address has an account or not."""
    if not form.is_valid:
        return render(request, "accounts/forgot_password.html", form=form)
    await limits.limit(request, limits.MESSAGE, form.data.email)
    await actions.request_password_reset(db, settings, email=form.data.email, facts=RequestFacts.of(request))
    pending.remember_address(request, form.data.email)
    return _see(request, "accounts.check_mail_for_reset")


async def check_mail_for_reset(request: Request) -> Response:
    """Say that a message is on its way if the address has an account."""
    address = pending.pending_address(request)
    if not address:
        return _see(request, "accounts.forgot_password")
    headers = {"cache-control": "no-store"}
    return render(request, "accounts/check_mail_for_reset.html", headers=headers, address=pending.masked(address))


async def reset_password(request: Request, db: Db, token: Annotated[str, Query()] = "") -> Response:
    """Show for which account a mailed link sets a new password."""
    if token:
        return _keep_link(request, Purpose.RESET, token, "accounts.reset_password")
    held = pending.pending_link(request, Purpose.RESET)
    form = Submitted.blank(ResetPasswordForm, token=held)
    return await _show_reset(request, db, form, held)


async def set_new_password(
    request: Request, db: Db, settings: CurrentSettings, form: Submitted[ResetPasswordForm]
) -> Response:
    """Set a new password by a mailed link, and end all sessions of the account."""
    await limits.limit(request, limits.LINK)
    if form.is_valid:
        facts = RequestFacts.of(request)
        password = form.data.password.get_secret_value()
        try:
            user = await actions.reset_password(db, settings, token=form.data.token, password=password, facts=facts)
        except WeakPassword as refusal:
            form.add_error("password", _(refusal.message))
        except LinkDoesNotWork:
            return _link_does_not_work(request, Purpose.RESET)
        else:
            await create_personal_organization(db, user, facts=facts)
            return _password_is_set(request, settings)
    return await _show_reset(request, db, form, str(form.values.get("token", "")))


async def _show_reset(request: Request, db: Db, form: Submitted[ResetPasswordForm], token: str) -> Response:
    email = await queries.find_link(db, token, Purpose.RESET)
    if email is None:
        return _link_does_not_work(request, Purpose.RESET)
    return render(request, "accounts/reset_password.html", headers=UNTRACED, form=form, address=email.address)


def _password_is_set(request: Request, settings: Settings) -> Response:
    """All sessions are over, this browser's too; its cookie goes with them."""
    request.session.clear()
    flash(request, _("Your password is changed, and every other device is logged out. Log in with the new password."))
    response = _see(request, "accounts.log_in")
    delete_session_cookie(response, settings)
    return response


async def _ask_for_proof(request: Request, db: Db, settings: Settings, address: str, next_path: str) -> Response:
    """The password is right, so this is the person who signed up: send them the link again."""
    await limits.limit(request, limits.MESSAGE, address)
    await signing_up.send_verification_again(db, settings, email=address)
    pending.remember_address(request, address, next_path)
    flash(request, _("Confirm your e-mail address first. We sent you the link again."), "info")
    return _see(request, "accounts.check_mail")


def _keep_link(request: Request, purpose: Purpose, token: str, route: str) -> Response:
    pending.remember_link(request, purpose, token)
    response = _see(request, route)
    response.headers.update(UNTRACED)
    return response


def _link_does_not_work(request: Request, purpose: Purpose) -> Response:
    pending.forget_link(request, purpose)
    return render(request, "accounts/link_does_not_work.html", status_code=410, headers=UNTRACED, purpose=purpose)


def _see_log_in(request: Request) -> Response:
    target = pending.pending_next(request)
    path = str(request.app.url_path_for("accounts.log_in"))
    return RedirectResponse(log_in_path(path, target), status_code=303, headers={"cache-control": "no-store"})


def _see(request: Request, route: str) -> Response:
    """Lead to another page by GET. It may depend on who asks, so no cache keeps it."""
    path = str(request.app.url_path_for(route))
    return RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})

"""The pages for a forgotten password, and the one where somebody who is logged in changes theirs."""

from typing import Annotated

from app.accounts import limits, pending
from app.accounts.choosing import WeakPassword
from app.accounts.dependencies import CurrentSession, SignedOut
from app.accounts.entering import confirm
from app.accounts.even_time import EvenTime
from app.accounts.link_pages import keep_link, link_does_not_work
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Purpose, Session
from app.accounts.queries import find_link
from app.accounts.sessions import delete_session_cookie
from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings
from app.database import Db
from app.language import gettext as _
from app.organizations.actions import create_personal_organization
from app.pages import NEVER_STORED, UNTRACED, see
from app.passwords import actions, queries
from app.passwords.forms import ChangePasswordForm, ForgotPasswordForm, ResetPasswordForm
from app.templates import flash, render
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

Budget = Annotated[None, limits.per_session(limits.CONFIRM)]


async def forgot_password(request: Request, _stranger: SignedOut) -> Response:
    """Ask for the address whose password was forgotten."""
    return render(request, "passwords/forgot_password.html", form=Submitted.blank(ForgotPasswordForm))


async def request_reset(
    request: Request, _even: EvenTime, db: Db, settings: CurrentSettings, form: Submitted[ForgotPasswordForm]
) -> Response:
    """Mail a link that sets a new password; the answer is the same whether the address has an account or not."""
    if not form.is_valid:
        return render(request, "passwords/forgot_password.html", form=form)
    await limits.limit(request, limits.MESSAGE, form.data.email)
    await actions.request_password_reset(db, settings, email=form.data.email, facts=RequestFacts.of(request))
    pending.remember_address(request, form.data.email)
    return see(request, "passwords.check_mail")


async def check_mail(request: Request) -> Response:
    """Say that a message is on its way if the address has an account."""
    address = pending.pending_address(request)
    if not address:
        return see(request, "passwords.forgot_password")
    return render(request, "passwords/check_mail.html", headers=NEVER_STORED, address=pending.masked(address))


async def reset_password(request: Request, db: Db, token: Annotated[str, Query()] = "") -> Response:
    """Show for which account a mailed link sets a new password."""
    if token:
        return keep_link(request, Purpose.RESET, token, "passwords.reset_password")
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
            return link_does_not_work(request, Purpose.RESET)
        else:
            await create_personal_organization(db, user, facts=facts)
            return _password_is_set(request, settings)
    return await _show_reset(request, db, form, str(form.values.get("token", "")))


async def password(request: Request, session: CurrentSession, db: Db) -> Response:
    """Show the form that changes the password, or to somebody without one the way to their first."""
    return await _show(request, db, session, Submitted.blank(ChangePasswordForm))


async def change_password(
    request: Request,
    _budget: Budget,
    session: CurrentSession,
    db: Db,
    settings: CurrentSettings,
    form: Submitted[ChangePasswordForm],
) -> Response:
    """Replace the password; every other device is logged out, and this one's session gets a new token."""
    if form.is_valid:
        try:
            await actions.change_password(
                db,
                settings,
                session,
                current=form.data.current_password.get_secret_value(),
                password=form.data.password.get_secret_value(),
                facts=RequestFacts.of(request),
            )
        except actions.WrongPassword as refusal:
            form.add_error("current_password", _(refusal.message))
        except WeakPassword as refusal:
            form.add_error("password", _(refusal.message))
        else:
            flash(request, _("Your password is changed, and every other device is logged out."))
            return await confirm(request, db, session, method="password", next_path=request.url.path)
    return await _show(request, db, session, form)


async def request_first_password(
    request: Request, _budget: Budget, session: CurrentSession, db: Db, settings: CurrentSettings
) -> Response:
    """Mail the link that sets the first password."""
    if await queries.find_password(db, session.user_id) is None:
        await actions.request_first_password(db, settings, session.user, facts=RequestFacts.of(request))
        flash(request, _("We sent you a message. The link in it sets your password."))
    return see(request, "passwords.password")


async def _show(request: Request, db: Db, session: Session, form: Submitted[ChangePasswordForm]) -> Response:
    kept = await queries.find_password(db, session.user_id)
    return render(request, "passwords/password.html", form=form, changed_at=kept.changed_at if kept else None)


async def _show_reset(request: Request, db: Db, form: Submitted[ResetPasswordForm], token: str) -> Response:
    email = await find_link(db, token, Purpose.RESET)
    if email is None:
        return link_does_not_work(request, Purpose.RESET)
    return render(request, "passwords/reset_password.html", headers=UNTRACED, form=form, address=email.address)


def _password_is_set(request: Request, settings: Settings) -> Response:
    """All sessions are over, this browser's too; its cookie goes with them."""
    request.session.clear()
    flash(request, _("Your password is changed, and every other device is logged out. Log in with the new password."))
    response = see(request, "accounts.log_in")
    delete_session_cookie(response, settings)
    return response

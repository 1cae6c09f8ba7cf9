"""The pages on which people who are logged in prove again who they are, and then go on with what they were doing."""

from typing import Annotated

from app import features
from app.accounts import limits
from app.accounts.codes import CodeDoesNotWork
from app.accounts.dependencies import CurrentSession
from app.accounts.entering import confirm
from app.accounts.models import Session
from app.accounts.pending import masked
from app.accounts.redirects import log_in_path, safe_path
from app.accounts.sessions import session_id
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.identity import actions
from app.identity.forms import CodeForm, ConfirmForm, SendForm
from app.language import gettext as _
from app.pages import path_of, see_path
from app.passwords.actions import WrongPassword
from app.passwords.queries import find_password
from app.templates import flash, render
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

Next = Annotated[str, Query("next")]
Budget = Annotated[None, limits.per_session(limits.CONFIRM)]
MessageBudget = Annotated[None, limits.per_session(limits.CODE_MESSAGE)]


async def confirm_identity(request: Request, session: CurrentSession, db: Db, next_path: Next = "") -> Response:
    """Ask for a fresh proof: the password, a mailed code, or what other features offer."""
    return await _show(request, db, session, Submitted.blank(ConfirmForm, next=safe_path(next_path)))


async def confirm_with_password(
    request: Request, _budget: Budget, session: CurrentSession, db: Db, form: Submitted[ConfirmForm]
) -> Response:
    """Take the password as the proof, and lead back."""
    if form.is_valid:
        password, facts = form.data.password.get_secret_value(), RequestFacts.of(request)
        try:
            await actions.check_password(db, session, password=password, facts=facts)
        except WrongPassword as refusal:
            form.add_error("password", _(refusal.message))
        else:
            return await confirm(request, db, session, method="password", next_path=form.data.next)
    return await _show(request, db, session, form)


async def send_code(
    request: Request,
    _budget: MessageBudget,
    session: CurrentSession,
    db: Db,
    settings: CurrentSettings,
    form: Submitted[SendForm],
) -> Response:
    """Mail a code to the person's own address."""
    await actions.request_code(db, settings, session, secret=session_id(request) or "")
    flash(request, _("We sent you a message with a code."))
    path = log_in_path(path_of(request, "identity.code"), form.data.next if form.is_valid else "")
    return see_path(path)


async def code(request: Request, session: CurrentSession, next_path: Next = "") -> Response:
    """Ask for the code that was mailed."""
    return _show_code(request, session, Submitted.blank(CodeForm, next=safe_path(next_path)))


async def confirm_with_code(
    request: Request,
    _budget: Budget,
    session: CurrentSession,
    db: Db,
    settings: CurrentSettings,
    form: Submitted[CodeForm],
) -> Response:
    """Take a mailed code as the proof, and lead back."""
    if form.is_valid:
        secret, facts = session_id(request) or "", RequestFacts.of(request)
        try:
            await actions.check_code(db, settings, session, secret=secret, digits=form.data.code, facts=facts)
        except CodeDoesNotWork as refusal:
            form.add_error("code", _(refusal.message))
        else:
            return await confirm(request, db, session, method="code", next_path=form.data.next)
    return _show_code(request, session, form)


async def _show(request: Request, db: Db, session: Session, form: Submitted[ConfirmForm]) -> Response:
    ways = [way for way in features.confirmation_ways() if await way.is_open(db, session.user_id)]
    has_password = await find_password(db, session.user_id) is not None
    return render(request, "identity/confirm_identity.html", form=form, has_password=has_password, ways=ways)


def _show_code(request: Request, session: Session, form: Submitted[CodeForm]) -> Response:
    return render(request, "identity/code.html", form=form, address=masked(session.user.email))

"""Proving again who one is by a second factor: a way that /confirm-identity offers beside the password."""

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import CurrentSession
from app.accounts.entering import confirm as renew
from app.accounts.models import Session
from app.accounts.redirects import safe_path
from app.config import current_settings
from app.database import Db
from app.pages import see
from app.templates import render
from app.two_factor import queries
from app.two_factor.forms import ConfirmationForm
from app.two_factor.proving import prove
from app.two_factor.relying_party import RelyingParty
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response


async def has_factor(db: AsyncSession, user_id: UUID) -> bool:
    """Whether a person can confirm who they are by a second factor."""
    return (await queries.find_factors(db, user_id)).count > 0


async def confirm(
    request: Request, session: CurrentSession, db: Db, next_path: Annotated[str, Query("next")] = ""
) -> Response:
    """Ask for a code from the app, a recovery code or a passkey."""
    return await _show(request, db, session, Submitted.blank(ConfirmationForm, next=safe_path(next_path)))


async def confirm_with_factor(
    request: Request, session: CurrentSession, db: Db, form: Submitted[ConfirmationForm]
) -> Response:
    """Take a second factor as the proof, and lead back."""
    method = await prove(request, db, session.user, form, purpose=f"confirm {session.id}")
    if method is None:
        return await _show(request, db, session, form)
    return await renew(request, db, session, method=method, next_path=form.data.next)


async def _show(request: Request, db: Db, session: Session, form: Submitted[ConfirmationForm]) -> Response:
    factors = await queries.find_factors(db, session.user_id)
    if factors.count == 0:
        return see(request, "identity.confirm_identity")
    party = RelyingParty.of(current_settings(request))
    return render(request, "two_factor/confirm.html", form=form, factors=factors, party=party)

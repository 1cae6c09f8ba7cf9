"""Judging a fresh proof by somebody who is logged in. `accounts.entering.confirm` renews the session afterwards."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.codes import CodeDoesNotWork, new_code, use_code
from app.accounts.links import create_link
from app.accounts.models import Purpose, Session
from app.accounts.passwords import matches
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.identity import emails
from app.passwords.actions import WrongPassword
from app.passwords.queries import find_password


async def check_password(db: AsyncSession, session: Session, *, password: str, facts: RequestFacts) -> None:
    """Raises WrongPassword, which is noted: the caller lets its transaction commit. Raises TooManyPasswords, too."""
    kept = await find_password(db, session.user_id)
    if not await matches(password, kept.hash if kept else None):
        await _note_refusal(db, session, "password", facts)
        raise WrongPassword


async def request_code(db: AsyncSession, settings: Settings, session: Session, *, secret: str) -> None:
    """Mail a code to the person's primary address. It works in the session whose cookie is `secret`."""
    user = session.user
    if user.primary_email is None:
        return
    code = new_code(settings, Purpose.CONFIRM, secret)
    await create_link(db, Purpose.CONFIRM, user.primary_email.id, code=code)
    await emails.send_code(db, settings, user, code=code.digits)


async def check_code(
    db: AsyncSession, settings: Settings, session: Session, *, secret: str, digits: str, facts: RequestFacts
) -> None:
    """Raises CodeDoesNotWork, which is noted and counted: the caller lets its transaction commit."""
    try:
        await use_code(db, settings, Purpose.CONFIRM, browser=secret, digits=digits)
    except CodeDoesNotWork:
        await _note_refusal(db, session, "code", facts)
        raise


async def _note_refusal(db: AsyncSession, session: Session, method: str, facts: RequestFacts) -> None:
    await record_by(db, "accounts.confirmation_refused", session.user, facts, changes={"methods": [method]})

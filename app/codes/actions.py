"""Mailing links and codes that log in, and taking them back. Who may enter then is `accounts.entering`'s question."""

from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.address_locks import lock_coded_addresses, lock_linked_address
from app.accounts.asking import ask_for_link
from app.accounts.codes import CodeDoesNotWork, new_code, use_code
from app.accounts.links import LinkDoesNotWork, use_link
from app.accounts.models import ENTERING, Email, Password, Purpose, User
from app.accounts.signing_up import prove_address
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.codes import emails
from app.config import Settings


@dataclass(frozen=True)
class Arrival:
    """Somebody who read our mail; `is_new` if that made their claim of the address an account."""

    user: User
    is_new: bool


async def request_log_in(
    db: AsyncSession, settings: Settings, *, email: str, browser: str, facts: RequestFacts
) -> None:
    """Mail a link and a code that log in, or to an address without an account the notice that it has none.

    The code works in the browser that holds `browser`; without that there is only a link. Known and unknown addresses take
    the same statements.
    """
    code = new_code(settings, Purpose.LOG_IN, browser) if browser else None
    account, token = await ask_for_link(
        db, Purpose.LOG_IN, email=email, action="accounts.log_in_mail_requested", code=code, facts=facts
    )
    if account is None:
        await emails.send_unknown_address(db, settings, to=email)
    else:
        digits = code.digits if code else ""
        await emails.send_log_in(db, settings, account.user, to=account.email.address, token=token, code=digits)


async def take_link(db: AsyncSession, *, token: str, facts: RequestFacts) -> Arrival:
    """Use a mailed link up. Raises LinkDoesNotWork."""
    await lock_linked_address(db, Purpose.LOG_IN, token)
    return await _welcome(db, await use_link(db, token, Purpose.LOG_IN), facts)


async def take_code(db: AsyncSession, settings: Settings, *, browser: str, digits: str, facts: RequestFacts) -> Arrival:
    """Use a mailed code up. Raises CodeDoesNotWork, which is noted and counted: the caller lets its transaction commit."""
    await lock_coded_addresses(db, Purpose.LOG_IN, browser)
    try:
        email = await use_code(db, settings, Purpose.LOG_IN, browser=browser, digits=digits)
    except CodeDoesNotWork:
        await record(db, "accounts.log_in_refused", actor_id=None, changes={"methods": ["code"]}, request=facts)
        raise
    try:
        return await _welcome(db, email, facts)
    except LinkDoesNotWork:
        raise CodeDoesNotWork from None


async def _welcome(db: AsyncSession, email: Email, facts: RequestFacts) -> Arrival:
    """Reading the mail proves the address. Whoever signed up with it chose the password, and may have been somebody else."""
    user = email.user
    if user.status not in ENTERING:
        raise LinkDoesNotWork
    if email.verified_at is not None:
        return Arrival(user, is_new=False)
    await prove_address(db, email)
    await db.execute(delete(Password).where(Password.user_id == user.id))
    await record_by(db, "accounts.email_verified", user, facts)
    return Arrival(user, is_new=True)

"""Replacing passwords. Each way ends with `set_password`, which ends whatever rests on the old one."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import passwords
from app.accounts.actions import end_sessions
from app.accounts.address_locks import lock_address
from app.accounts.asking import ask_for_link
from app.accounts.choosing import require_good_password
from app.accounts.devices import forget_trust
from app.accounts.links import LinkDoesNotWork, create_link, use_link
from app.accounts.models import LoginChallenge, Password, Purpose, Session, User
from app.accounts.queries import find_link
from app.accounts.signing_up import prove_address
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import release_connection
from app.errors import Refusal
from app.language import N_
from app.passwords import emails, queries


class WrongPassword(Refusal):
    """The password that was given as the present one is another."""

    def __init__(self) -> None:
        super().__init__(N_("This is not your present password."))


async def request_password_reset(db: AsyncSession, settings: Settings, *, email: str, facts: RequestFacts) -> None:
    """Mail a link that sets a new password, or to an address without an account the notice that it has none."""
    account, token = await ask_for_link(
        db, Purpose.RESET, email=email, action="accounts.password_reset_requested", facts=facts
    )
    if account is None:
        await emails.send_unknown_address(db, settings, to=email)
    else:
        # The address as we know it, never as it was typed: the two may look alike and be different mailboxes.
        await emails.send_password_reset(db, settings, account.user, to=account.email.address, token=token)


async def request_first_password(db: AsyncSession, settings: Settings, user: User, *, facts: RequestFacts) -> None:
    """Mail the link that sets the first password of somebody who logs in by other means.

    A session alone must not do: whoever holds a stolen one would make it a way in that lasts.
    """
    if user.primary_email is None:
        return
    token = await create_link(db, Purpose.RESET, user.primary_email.id)
    await emails.send_first_password(db, settings, user, to=user.email, token=token)
    await record_by(db, "accounts.first_password_requested", user, facts)


async def reset_password(
    db: AsyncSession, settings: Settings, *, token: str, password: str, facts: RequestFacts
) -> User:
    """Set a new password by a mailed link and end all of the person's sessions.

    Raises LinkDoesNotWork, WeakPassword (the link still works then) and TooManyPasswords. Reading the mail proves the
    address, so a claim becomes an account; whoever chose its first password may have been somebody else.
    """
    link = await find_link(db, token, Purpose.RESET)
    if link is None:
        raise LinkDoesNotWork
    await release_connection(db)
    await require_good_password(settings, password, (link.user.name, link.address))
    hashed = await passwords.hash_password(password)
    await lock_address(db, link.address)
    email = await use_link(db, token, Purpose.RESET)
    if email.verified_at is None:
        await prove_address(db, email)
    await set_password(db, email.user, hashed)
    await emails.send_password_changed(db, settings, email.user, to=email.address)
    await record_by(db, "accounts.password_reset", email.user, facts)
    return email.user


async def change_password(
    db: AsyncSession, settings: Settings, session: Session, *, current: str, password: str, facts: RequestFacts
) -> None:
    """Replace the password of somebody who is logged in and knows it; their other sessions end.

    Raises WrongPassword, WeakPassword and TooManyPasswords.
    """
    user = session.user
    kept = await queries.find_password(db, user.id)
    if not await passwords.matches(current, kept.hash if kept else None):
        raise WrongPassword
    await require_good_password(settings, password, (user.name, user.email))
    await set_password(db, user, await passwords.hash_password(password), keep=session)
    await emails.send_password_changed(db, settings, user, to=user.email)
    await record_by(db, "accounts.password_changed", user, facts)


async def set_password(db: AsyncSession, user: User, hashed: str, *, keep: Session | None = None) -> None:
    """Replace a person's password, and end their sessions, half-finished log-ins and trusted devices.

    Links and codes that were mailed before stop working by themselves (`accounts.queries.link_works`).
    """
    await db.merge(Password(user_id=user.id, hash=hashed, changed_at=clock.now()))
    await end_sessions(db, user, keep=keep)
    await db.execute(delete(LoginChallenge).where(LoginChallenge.user_id == user.id))
    await forget_trust(db, user)

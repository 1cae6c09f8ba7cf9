"""Taking back a change of the primary address, by the link that its former owner was mailed."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.actions import end_sessions
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Email, KnownDevice, OneTimeToken, Password, User
from app.accounts.sessions import hash_token
from app.addresses import emails, queries
from app.addresses.models import AddressLink, LinkKind
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.connections.models import Identity
from app.ids import uuid7
from app.tokens.actions import revoke_tokens_since
from app.two_factor.actions import remove_factors

# What somebody added shortly before they changed the primary address belongs to the same visit.
SAME_VISIT = timedelta(hours=72)


async def undo_change(db: AsyncSession, settings: Settings, *, token: str, facts: RequestFacts) -> User:
    """Make the former address the primary one again, as if the change had never been. Raises LinkDoesNotWork.

    Whoever made the change is thrown out: their addresses, sessions, remembered devices and mailed links go, so do second
    factors, tokens and connected accounts that are as new, and the password, which they know. Links that take back an
    earlier change stay, or a thief who changes twice could use the second one against the owner.
    """
    link = await _use_up(db, token)
    user = await db.scalar(select(User).where(User.id == link.user_id).with_for_update())
    if user is None or link.previous_address is None:
        raise LinkDoesNotWork
    await _remove_newcomers(db, link, link.previous_address)
    await _restore(db, user, link.previous_address)
    await _throw_everybody_out(db, user, link)
    await _end_what_was_set_up(db, user, link.created_at - SAME_VISIT, facts)
    await emails.send_change_undone(db, settings, user, to=link.previous_address, address=link.address)
    changes = {"address": [link.address, link.previous_address]}
    await record_by(db, "addresses.change_undone", user, facts, changes=changes)
    return user


async def _use_up(db: AsyncSession, token: str) -> AddressLink:
    statement = (
        update(AddressLink)
        .where(AddressLink.token_hash == hash_token(token), *queries.link_works((LinkKind.UNDO,)))
        .values(used_at=clock.now())
        .returning(AddressLink)
    )
    link = await db.scalar(statement.execution_options(synchronize_session=False))
    if link is None:
        raise LinkDoesNotWork
    return link


async def _remove_newcomers(db: AsyncSession, link: AddressLink, kept: str) -> None:
    is_new = or_(
        func.lower(Email.address) == link.address.lower(),
        Email.verified_at.is_(None),
        Email.verified_at > link.created_at - SAME_VISIT,
    )
    statement = delete(Email).where(Email.user_id == link.user_id, func.lower(Email.address) != kept.lower(), is_new)
    await db.execute(statement.execution_options(synchronize_session=False))


async def _restore(db: AsyncSession, user: User, address: str) -> None:
    """The address may have been removed from the account meanwhile; opening the link has just proved it again."""
    demoted = update(Email).where(Email.user_id == user.id, Email.is_primary).values(is_primary=False)
    await db.execute(demoted.execution_options(synchronize_session=False))
    email = await queries.find_own_address(db, user.id, address)
    if email is None:
        email = Email(id=uuid7(), user_id=user.id, address=address)
        db.add(email)
    else:
        await db.refresh(email)
    try:
        async with db.begin_nested():
            email.verified_at = email.verified_at or clock.now()
            email.is_primary = True
    except IntegrityError:
        raise LinkDoesNotWork from None


async def _throw_everybody_out(db: AsyncSession, user: User, link: AddressLink) -> None:
    await end_sessions(db, user)
    later = (AddressLink.user_id == user.id, AddressLink.used_at.is_(None), AddressLink.created_at >= link.created_at)
    for statement in (
        update(AddressLink).where(*later).values(used_at=clock.now()),
        delete(OneTimeToken).where(OneTimeToken.user_id == user.id),
        delete(KnownDevice).where(KnownDevice.user_id == user.id),
    ):
        await db.execute(statement.execution_options(synchronize_session=False))


async def _end_what_was_set_up(db: AsyncSession, user: User, since: datetime, facts: RequestFacts) -> None:
    """Close every other way in that may be the thief's. The owner reads the mailbox, by which they set a new password."""
    await remove_factors(db, user, since=since, facts=facts)
    await revoke_tokens_since(db, user, since, facts=facts)
    for statement in (
        delete(Identity).where(Identity.user_id == user.id, Identity.created_at >= since),
        delete(Password).where(Password.user_id == user.id),
    ):
        await db.execute(statement.execution_options(synchronize_session=False))

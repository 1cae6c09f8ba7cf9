"""For people who lost every second factor: their factors can be removed, after a time in which a thief would be noticed.

Who asks has given a first proof. Each of their addresses is told, at once and again and again, with a link that stops it; so
does any proof of a factor. When the time is over, a mailed link and the password remove the factors.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts import passwords
from app.accounts.actions import end_sessions
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import ENTERING, User
from app.accounts.signed_links import is_signed, sign_link, subject_of
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import release_connection
from app.passwords.actions import WrongPassword
from app.passwords.queries import find_password
from app.two_factor import actions, lost_access_emails
from app.two_factor.models import LostAccess, Outcome

STOP = "stop lost access"
FINISH = "finish lost access"
NOTICE_EVERY = timedelta(days=2)
# How long the factors can be removed once the waiting is over; afterwards it has to be asked for anew.
USABLE_FOR = timedelta(days=7)


async def ask(db: AsyncSession, settings: Settings, user: User, *, facts: RequestFacts) -> None:
    """Begin the waiting period, and tell every address of the person; nothing if one runs already."""
    now = clock.now()
    request = LostAccess(user_id=user.id, created_at=now, told_at=now, ip=facts.ip, user_agent=facts.user_agent)
    request.ready_at = now + timedelta(days=settings.lost_access_days)
    try:
        async with db.begin_nested():
            db.add(request)
    except IntegrityError:
        return
    await lost_access_emails.send_asked(db, settings, user, request, stop_token=stop_token(settings, request))
    await _note(db, "two_factor.lost_access_asked", request, user, facts)


async def find_open(db: AsyncSession, user_id: UUID) -> LostAccess | None:
    """The request of a person that waits, or can be finished."""
    return await db.scalar(select(LostAccess).where(LostAccess.user_id == user_id, LostAccess.closed_at.is_(None)))


async def list_latest(db: AsyncSession, *, limit: int) -> Sequence[LostAccess]:
    """The newest requests of everybody, with their people and addresses."""
    statement = select(LostAccess).options(joinedload(LostAccess.user).joinedload(User.primary_email))
    return (await db.scalars(statement.order_by(LostAccess.id.desc()).limit(limit))).all()


async def find_mailed(db: AsyncSession, settings: Settings, purpose: str, token: str) -> LostAccess | None:
    """The request that a mailed link stops or finishes, with its person, while the link works."""
    statement = select(LostAccess).join(LostAccess.user).options(joinedload(LostAccess.user))
    request = await db.scalar(
        statement.where(LostAccess.id == subject_of(token), LostAccess.closed_at.is_(None), User.status.in_(ENTERING))
    )
    if request is None or not is_signed(settings, purpose, request.id, request.ready_at, token):
        return None
    is_due = purpose == STOP or request.ready_at <= clock.now() < request.ready_at + USABLE_FOR
    return request if is_due else None


async def stop(db: AsyncSession, settings: Settings, *, token: str, facts: RequestFacts) -> None:
    """Keep the factors, by the link in one of the messages. Raises LinkDoesNotWork."""
    request = await find_mailed(db, settings, STOP, token)
    if request is None or not await _close(db, request.user_id, Outcome.STOPPED):
        raise LinkDoesNotWork
    await lost_access_emails.send_stopped(db, settings, request.user, by_factor=False)
    await _note(db, "two_factor.lost_access_stopped", request, None, facts)


async def cancel(db: AsyncSession, settings: Settings, user: User, *, facts: RequestFacts) -> None:
    """Keep the factors, because one of them was just proved and so is not lost."""
    if await _close(db, user.id, Outcome.CANCELLED):
        await lost_access_emails.send_stopped(db, settings, user, by_factor=True)
        await record_by(db, "two_factor.lost_access_cancelled", user, facts)


async def finish(db: AsyncSession, settings: Settings, *, token: str, password: str, facts: RequestFacts) -> None:
    """Remove every second factor and end all sessions, by the mailed link and the password.

    Raises LinkDoesNotWork, TooManyPasswords, and WrongPassword, which is noted: the caller lets its transaction commit.
    """
    request = await find_mailed(db, settings, FINISH, token)
    if request is None:
        raise LinkDoesNotWork
    kept = await find_password(db, request.user_id)
    await release_connection(db)
    if not await passwords.matches(password, kept.hash if kept else None):
        await _note(db, "two_factor.lost_access_refused", request, None, facts)
        raise WrongPassword
    if not await _close(db, request.user_id, Outcome.FINISHED):
        raise LinkDoesNotWork
    await actions.remove_factors(db, request.user, facts=facts)
    await end_sessions(db, request.user)
    await lost_access_emails.send_finished(db, settings, request.user)
    await _note(db, "two_factor.lost_access_finished", request, request.user, facts)


async def list_due(db: AsyncSession) -> Sequence[UUID]:
    """The requests that have news for their people: a notice is due, the waiting is over, or the time after it."""
    now = clock.now()
    is_due = or_(
        (LostAccess.ready_at > now) & (LostAccess.told_at <= now - NOTICE_EVERY),
        (LostAccess.ready_at <= now) & (LostAccess.told_at < LostAccess.ready_at),
        LostAccess.ready_at <= now - USABLE_FOR,
    )
    return (await db.scalars(select(LostAccess.id).where(LostAccess.closed_at.is_(None), is_due))).all()


async def tell(db: AsyncSession, settings: Settings, request_id: UUID) -> None:
    """Tell the person how their request stands, or close it when nobody made use of it."""
    statement = select(LostAccess).options(joinedload(LostAccess.user)).where(LostAccess.id == request_id)
    request = await db.scalar(statement.with_for_update(of=LostAccess, skip_locked=True))
    if request is None or request.closed_at is not None:
        return
    if request.ready_at <= clock.now() - USABLE_FOR:
        await _close(db, request.user_id, Outcome.EXPIRED)
        await _note(db, "two_factor.lost_access_expired", request, None, RequestFacts())
        return
    told = update(LostAccess).where(LostAccess.id == request_id).values(told_at=clock.now())
    await db.execute(told.execution_options(unrecorded="The notices follow from the request, which is recorded."))
    token = stop_token(settings, request)
    if request.is_ready:
        urls = {"finish_token": finish_token(settings, request), "stop_token": token}
        await lost_access_emails.send_ready(db, settings, request.user, request, **urls)
    else:
        await lost_access_emails.send_asked(db, settings, request.user, request, stop_token=token)


def stop_token(settings: Settings, request: LostAccess) -> str:
    """The token of the link that is in every message: it works until the request is closed."""
    return sign_link(settings, STOP, request.id, request.ready_at)


def finish_token(settings: Settings, request: LostAccess) -> str:
    """The token of the link that is mailed when the waiting is over."""
    return sign_link(settings, FINISH, request.id, request.ready_at)


async def _close(db: AsyncSession, user_id: UUID, outcome: Outcome) -> bool:
    """Of any number of requests that try at once, one gets True."""
    statement = update(LostAccess).where(LostAccess.user_id == user_id, LostAccess.closed_at.is_(None))
    closed = statement.values(closed_at=clock.now(), outcome=outcome).returning(LostAccess.id)
    return await db.scalar(closed.execution_options(synchronize_session=False)) is not None


async def _note(db: AsyncSession, action: str, request: LostAccess, actor: User | None, facts: RequestFacts) -> None:
    """Write it into the audit trail of the person. Without an actor it was somebody who held a link."""
    await record(
        db,
        action,
        actor_id=actor.id if actor else None,
        actor_label=actor.name if actor else None,
        target_type="user",
        target_id=request.user_id,
        request=facts,
    )

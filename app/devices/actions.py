"""Ending sessions and trust. Each takes effect with the next request of whoever held them."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.actions import end_sessions
from app.accounts.devices import forget_trust
from app.accounts.models import KnownDevice, Session, User
from app.accounts.whereabouts import device_name
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.errors import Refusal
from app.language import N_


class NoSuchSession(Refusal):
    """The person has no live session of this id: it is over, or was never theirs."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("This session is over already."))


class NoSuchDevice(Refusal):
    """The person has no trusted device of this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("This device is not trusted any more."))


async def end_session(db: AsyncSession, user: User, session_id: UUID, *, facts: RequestFacts) -> None:
    """End one of a person's sessions at once. Raises NoSuchSession."""
    of_user = (Session.id == session_id, Session.user_id == user.id, Session.revoked_at.is_(None))
    statement = update(Session).where(*of_user).values(revoked_at=clock.now()).returning(Session.user_agent)
    row = (await db.execute(statement.execution_options(synchronize_session=False))).one_or_none()
    if row is None:
        raise NoSuchSession
    await record_by(db, "accounts.session_ended", user, facts, changes={"device": [device_name(row.user_agent), None]})


async def end_other_sessions(db: AsyncSession, session: Session, *, facts: RequestFacts) -> int:
    """End all of a person's sessions but this one, and with them the trust in every device; returns how many."""
    count = await end_sessions(db, session.user, keep=session)
    await forget_trust(db, session.user)
    await record_by(db, "accounts.other_sessions_ended", session.user, facts, changes={"sessions": [count, 0]})
    return count


async def forget_device(db: AsyncSession, user: User, device_id: UUID, *, facts: RequestFacts) -> None:
    """Let a device stand for the second factor no longer. Raises NoSuchDevice."""
    of_user = (KnownDevice.id == device_id, KnownDevice.user_id == user.id, KnownDevice.trusted_until.is_not(None))
    statement = update(KnownDevice).where(*of_user).values(trusted_until=None).returning(KnownDevice.user_agent)
    row = (await db.execute(statement.execution_options(synchronize_session=False))).one_or_none()
    if row is None:
        raise NoSuchDevice
    await record_by(
        db, "accounts.device_forgotten", user, facts, changes={"device": [device_name(row.user_agent), None]}
    )

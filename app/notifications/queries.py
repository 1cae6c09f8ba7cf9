"""A person's notifications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.accounts.models import User
from app.notifications.kinds import KINDS, Kind
from app.notifications.models import Channel, Notification, NotificationPreference
from app.pagination import Pages, Position
from app.publishing import RealtimeEvent
from app.reads import Read

# The bell stops counting here, and so does the database.
COUNTED_AT_MOST = 100

_unread = (
    select(literal(1))
    .select_from(Notification)
    .where(Notification.user_id == bindparam("user_id"), Notification.read_at.is_(None))
    .limit(COUNTED_AT_MOST)
    .subquery()
)
# How many notifications of the person `user_id` are unread, `COUNTED_AT_MOST` at most; and the id of the newest live event, from
# which on a page has to listen so that nothing is lost between its making and its listening. For a statement that runs anyway.
BELL = (
    select(func.count()).select_from(_unread).scalar_subquery().label("unread"),
    select(func.coalesce(func.max(RealtimeEvent.id), 0)).scalar_subquery().label("newest"),
)
_BELL = Read(select(*BELL))
_ORDER = (Notification.created_at, Notification.id)
_OWN = select(Notification).where(Notification.user_id == bindparam("user_id"))
_ALL = Pages(_OWN, order=_ORDER, newest_first=True)
_UNREAD = Pages(_OWN.where(Notification.read_at.is_(None)), order=_ORDER, newest_first=True)
_READ = Pages(_OWN.where(Notification.read_at.is_not(None)), order=_ORDER, newest_first=True)


async def count_unread(db: AsyncSession, user_id: UUID) -> int:
    """How many notifications are unread, `COUNTED_AT_MOST` at most."""
    row = await _BELL.first(db, user_id=user_id)
    return row[0] if row else 0


async def list_notifications(
    db: AsyncSession, user_id: UUID, *, is_read: bool | None = None, after: Position | None = None, limit: int
) -> Sequence[Notification]:
    """A person's notifications, newest first: all, or those that are read, or not."""
    pages = {None: _ALL, False: _UNREAD, True: _READ}[is_read]
    return [row[0] for row in await pages.page(db, after, limit, user_id=user_id)]


async def find_channels(db: AsyncSession, user_id: UUID, kind: Kind) -> set[Channel]:
    """Where a person wants a kind of notification."""
    statement = select(NotificationPreference.channel, NotificationPreference.is_on).where(
        NotificationPreference.user_id == user_id, NotificationPreference.kind == kind.name
    )
    chosen = dict(iter(await db.execute(statement)))
    return {channel for channel in kind.channels if chosen.get(channel, channel in kind.defaults)}


async def list_choices(db: AsyncSession, user_id: UUID) -> Mapping[tuple[str, Channel], bool]:
    """Whether a person wants each kind in each of its channels."""
    chosen = await db.scalars(select(NotificationPreference).where(NotificationPreference.user_id == user_id))
    said = {(each.kind, each.channel): each.is_on for each in chosen}
    return {
        (kind.name, channel): said.get((kind.name, channel), channel in kind.defaults)
        for kind in KINDS.values()
        for channel in kind.channels
    }


async def find_receiver(db: AsyncSession, user_id: UUID) -> User | None:
    """An active person with their address."""
    statement = select(User).options(joinedload(User.primary_email))
    return await db.scalar(statement.where(User.id == user_id, User.status == "active"))


async def list_waiting_people(db: AsyncSession, *, before: datetime) -> Sequence[UUID]:
    """Who has notifications of earlier than `before` that they have neither seen nor been mailed."""
    statement = select(Notification.user_id).distinct().where(*_waiting(before))
    return (await db.scalars(statement)).all()


async def list_waiting(db: AsyncSession, user_id: UUID, *, before: datetime) -> Sequence[Notification]:
    """What waits for a person's next digest, oldest first; locked, so that of two workers one sends it."""
    statement = select(Notification).where(Notification.user_id == user_id, *_waiting(before))
    return (await db.scalars(statement.order_by(*_ORDER).with_for_update(skip_locked=True))).all()


async def find_waiting_organization(db: AsyncSession, user_id: UUID, *, before: datetime) -> UUID | None:
    """Which organization the newest of what waits for a person's next digest is about, if any of it is about one."""
    about = Notification.about_organization_id
    statement = select(about).where(Notification.user_id == user_id, about.is_not(None), *_waiting(before))
    return await db.scalar(statement.order_by(Notification.created_at.desc()).limit(1))


def _waiting(before: datetime) -> list:  # type: ignore[type-arg]
    return [
        Notification.read_at.is_(None),
        Notification.seen_at.is_(None),
        Notification.emailed_at.is_(None),
        Notification.created_at < before,
    ]

"""Telling people, and what they do about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.email.subscriptions import is_subscribed, subscribe_again
from app.errors import Refusal
from app.ids import uuid7
from app.jobs.actions import enqueue
from app.language import N_
from app.notifications import emails, queries
from app.notifications.kinds import KINDS, Kind
from app.notifications.models import Channel, Notification, NotificationPreference


class NoSuchNotification(Refusal):
    """The person has no notification of this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("There is no such notification."))


async def notify(
    db: AsyncSession,
    kind: Kind,
    user_id: UUID,
    *,
    actor: User | None = None,
    organization_id: UUID | None = None,
    data: Mapping[str, str] | None = None,
    group_key: str | None = None,
) -> None:
    """Tell a person something where they want to hear it, if this transaction commits.

    `data` is what the kind's sentence names ("organization") and its link needs ("slug"); the actor's name is added. While
    one with the same `group_key` is unread, it is that one which tells it, and counts.
    """
    channels = await queries.find_channels(db, user_id, kind)
    said = {**({"actor": actor.name} if actor else {}), **(data or {})}
    if Channel.IN_APP in channels:
        await _add(db, kind, user_id, actor, organization_id, said, group_key)
    if Channel.EMAIL in channels:
        known = {"user_id": user_id, "kind": kind.name, "data": said, "organization_id": organization_id}
        await enqueue(db, "notifications.mail", known)


async def _add(
    db: AsyncSession,
    kind: Kind,
    user_id: UUID,
    actor: User | None,
    organization_id: UUID | None,
    data: Mapping[str, str],
    group_key: str | None,
) -> None:
    values = {
        "kind": kind.name,
        "about_organization_id": organization_id,
        "data": dict(data),
        "actor_id": actor.id if actor else None,
        "created_at": clock.now(),
    }
    statement = insert(Notification).values(id=uuid7(), user_id=user_id, group_key=group_key, **values)
    if group_key is not None:
        statement = statement.on_conflict_do_update(
            index_elements=["user_id", "group_key"],
            index_where=Notification.read_at.is_(None) & Notification.group_key.is_not(None),
            set_={**values, "count": Notification.count + 1, "seen_at": None, "emailed_at": None},
        )
    await db.execute(statement)


async def mark_read(db: AsyncSession, user: User, notification_id: UUID) -> Notification:
    """Note that a person has dealt with one of their notifications. Raises NoSuchNotification."""
    now = clock.now()
    found = await db.get(Notification, notification_id)
    if found is None or found.user_id != user.id:
        raise NoSuchNotification
    if found.read_at is None:
        found.read_at = now
        found.seen_at = found.seen_at or now
    return found


async def mark_all_read(db: AsyncSession, user: User) -> int:
    """Note that a person has dealt with all of them; returns how many."""
    unread = (Notification.user_id == user.id, Notification.read_at.is_(None))
    statement = update(Notification).where(*unread).values(read_at=clock.now()).returning(Notification.id)
    return len((await db.scalars(statement.execution_options(synchronize_session=False))).all())


async def mark_seen(db: AsyncSession, notifications: Sequence[Notification]) -> None:
    """Note that these were shown to their person, who then need not be mailed about them."""
    for each in notifications:
        each.seen_at = each.seen_at or clock.now()


async def choose(
    db: AsyncSession, user: User, choices: Mapping[tuple[str, Channel], bool], *, facts: RequestFacts
) -> None:
    """Keep where a person wants each kind of notification."""
    rows = [
        {"user_id": user.id, "kind": kind, "channel": channel, "is_on": is_on}
        for (kind, channel), is_on in choices.items()
    ]
    statement = insert(NotificationPreference).values(rows)
    await db.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "kind", "channel"], set_={"is_on": statement.excluded.is_on}
        )
    )
    wants_digest = any(is_on for (_, channel), is_on in choices.items() if channel is Channel.DIGEST)
    if wants_digest and user.email and not await is_subscribed(db, address=user.email, kind=emails.DIGEST):
        await subscribe_again(db, address=user.email, kind=emails.DIGEST)
    await record_by(db, "notifications.chosen", user, facts)


async def send_digest(
    db: AsyncSession, settings: Settings, user_id: UUID, *, before: datetime, locale: str | None = None
) -> bool:
    """Mail a person what they have not seen since the last time, in one message; False where there is nothing to mail.

    `locale` is what to speak to somebody who has chosen no language.
    """
    user = await queries.find_receiver(db, user_id)
    waiting = await queries.list_waiting(db, user_id, before=before)
    for each in waiting:
        each.emailed_at = clock.now()
    choices = await queries.list_choices(db, user_id)
    told = [each for each in waiting if choices.get((each.kind, Channel.DIGEST))]
    if user is None or not user.email or not told:
        return False
    if not await is_subscribed(db, address=user.email, kind=emails.DIGEST):
        return False
    key = f"digest:{told[-1].id}:{told[-1].count}"
    await emails.send_digest(db, settings, user, told, dedup_key=key, locale=user.locale or locale)
    return True


async def send_notification(
    db: AsyncSession,
    settings: Settings,
    user_id: UUID,
    *,
    kind: str,
    data: Mapping[str, str],
    locale: str | None = None,
) -> None:
    """Mail a person one notification, if they are still there and its kind is still known; `locale` as for `send_digest`."""
    user = await queries.find_receiver(db, user_id)
    if user is not None and user.email and kind in KINDS:
        await emails.send_notification(db, settings, user, KINDS[kind], data, locale=user.locale or locale)


async def forget_read(db: AsyncSession, *, before: datetime) -> None:
    """Delete what was read before then."""
    await db.execute(delete(Notification).where(Notification.read_at < before))

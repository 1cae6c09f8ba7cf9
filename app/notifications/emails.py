"""What this feature writes to people."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app import language
from app.accounts.models import User
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.notifications.kinds import Kind, sentence
from app.notifications.models import Notification

DIGEST = "notifications.digest"
SINGLE = "notifications.single"
LISTED = 20
SAMPLES = {
    "notifications/digest": {"sentences": ["Grace joined Acme.", "Mary changed your role in Acme."], "count": 2},
    "notifications/notification": {"sentence": "Grace joined Acme."},
}


async def send_digest(
    db: AsyncSession,
    settings: Settings,
    user: User,
    notifications: Sequence[Notification],
    *,
    dedup_key: str,
    locale: str | None,
) -> None:
    """The day's notifications in one message."""
    with language.speaking(locale):
        sentences = [sentence(each.kind, each.data, each.count) for each in notifications[-LISTED:]]
    context = {"sentences": sentences, "count": len(notifications)}
    await _send(db, settings, user, "digest", context, unsubscribe=DIGEST, dedup_key=dedup_key, locale=locale)


async def send_notification(
    db: AsyncSession, settings: Settings, user: User, kind: Kind, data: Mapping[str, str], *, locale: str | None
) -> None:
    """One notification, at once."""
    with language.speaking(locale):
        context = {"sentence": sentence(kind.name, data)}
    await _send(db, settings, user, "notification", context, unsubscribe=SINGLE, locale=locale)


async def _send(
    db: AsyncSession,
    settings: Settings,
    user: User,
    template: str,
    context: Mapping[str, object],
    *,
    unsubscribe: str,
    locale: str | None,
    dedup_key: str | None = None,
) -> None:
    await send(
        db,
        settings=settings,
        to=user.email,
        template=f"notifications/{template}",
        context={"name": user.name, "url": absolute(settings, "/notifications"), **context},
        locale=locale,
        dedup_key=dedup_key,
        unsubscribe=unsubscribe,
    )

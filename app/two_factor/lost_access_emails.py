"""What people are written who asked for their lost factors to be removed: at every address that they have proved."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.links import mailed_url
from app.accounts.models import User
from app.accounts.queries import list_verified_addresses
from app.accounts.whereabouts import device_name, place_name
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.language import speaking
from app.templates import date
from app.two_factor.models import LostAccess

STOP_PATH = "/log-in/lost-access/stop"
FINISH_PATH = "/log-in/lost-access/finish"


async def send_asked(db: AsyncSession, settings: Settings, user: User, request: LostAccess, *, stop_token: str) -> None:
    """Somebody asked for the second factors to be removed; when that will be possible, and the link that stops it."""
    with speaking(user.locale):
        context = {
            "asked_at": date(request.created_at, "long"),
            "ready_at": date(request.ready_at, "long"),
            "device": device_name(request.user_agent),
            "place": place_name(request.ip),
            "stop_url": mailed_url(settings, STOP_PATH, stop_token),
        }
    await _send(db, settings, user, "lost_access_asked", context)


async def send_ready(
    db: AsyncSession, settings: Settings, user: User, request: LostAccess, *, finish_token: str, stop_token: str
) -> None:
    """The waiting is over: the link that removes the factors, and the one that stops it."""
    with speaking(user.locale):
        asked_at = date(request.created_at, "long")
    urls = {
        "finish_url": mailed_url(settings, FINISH_PATH, finish_token),
        "stop_url": mailed_url(settings, STOP_PATH, stop_token),
    }
    await _send(db, settings, user, "lost_access_ready", {"asked_at": asked_at, **urls})


async def send_stopped(db: AsyncSession, settings: Settings, user: User, *, by_factor: bool) -> None:
    """The factors stay: somebody used the link, or a factor."""
    context = {"by_factor": by_factor, "reset_url": absolute(settings, "/forgot-password")}
    await _send(db, settings, user, "lost_access_stopped", context)


async def send_finished(db: AsyncSession, settings: Settings, user: User) -> None:
    """The factors are removed, and the password alone lets this person in."""
    await _send(db, settings, user, "lost_access_finished", {"url": absolute(settings, "/account/two-factor")})


async def _send(db: AsyncSession, settings: Settings, user: User, template: str, context: Mapping[str, object]) -> None:
    words = {"name": user.name, **context}
    for address in await list_verified_addresses(db, user.id):
        name = f"two_factor/{template}"
        await send(db, settings=settings, to=address, template=name, context=words, locale=user.locale)

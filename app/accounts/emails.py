"""What this feature writes to people."""

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.links import mailed_url
from app.accounts.models import User
from app.accounts.whereabouts import device_name, place_name
from app.audit.models import RequestFacts
from app.config import Settings
from app.email.actions import send
from app.email.links import absolute
from app.language import speaking
from app.templates import date


async def send_verification(db: AsyncSession, settings: Settings, *, to: str, token: str, code: str) -> None:
    """The link that proves an address, and the code for who reads this on another device.

    The name is left out: until the address is proved, a stranger chose it, and would write what they like in our name.
    """
    context = {"url": mailed_url(settings, "/verify-email", token), "code": code}
    await send(db, settings=settings, to=to, template="accounts/verify_email", context=context)


async def send_already_registered(db: AsyncSession, settings: Settings, *, to: str) -> None:
    """To somebody who signed up with an address that has an account: only the owner of the mailbox learns that."""
    urls = {"log_in_url": absolute(settings, "/log-in"), "reset_url": absolute(settings, "/forgot-password")}
    await send(db, settings=settings, to=to, template="accounts/already_registered", context=urls)


async def send_new_device(db: AsyncSession, settings: Settings, user: User, *, to: str, facts: RequestFacts) -> None:
    """The notice that somebody logged in from a browser in which they never had before."""
    with speaking(user.locale):
        context = {
            "name": user.name,
            "at": date(clock.now(), "long"),
            "device": device_name(facts.user_agent),
            "place": place_name(facts.ip),
            "sessions_url": absolute(settings, "/account/sessions"),
        }
    await send(db, settings=settings, to=to, template="accounts/new_device", context=context, locale=user.locale)


async def send_deletion_cancelled(db: AsyncSession, settings: Settings, user: User, *, to: str) -> None:
    """The notice that an account which waited to be deleted stays."""
    context = {"name": user.name}
    template = "privacy/deletion_cancelled"
    await send(db, settings=settings, to=to, template=template, context=context, locale=user.locale)

"""Choosing a password: what makes one good enough, asked of ourselves and, where the settings say so, of the list of leaked ones."""

from collections.abc import Iterable

from app.accounts import breaches, passwords
from app.config import Settings
from app.errors import Refusal
from app.language import N_

LEAKED = N_("This password appears in leaks of other services, so attackers try it. Choose another one.")


class WeakPassword(Refusal):
    """The new password is easy to guess; the message says why."""


async def require_good_password(settings: Settings, password: str, context: Iterable[str]) -> None:
    """Raises WeakPassword for a password that is easy to guess, knowing the person's name and address, or that has leaked."""
    refuse_weak_password(password, (*context, settings.product_name))
    if settings.breached_password_check and await breaches.has_leaked(settings.breached_password_url, password):
        raise WeakPassword(LEAKED)


def refuse_weak_password(password: str, context: Iterable[str]) -> None:
    """Raises WeakPassword for a password that is easy to guess, without asking anybody."""
    if weakness := passwords.weakness(password, context):
        raise WeakPassword(weakness)

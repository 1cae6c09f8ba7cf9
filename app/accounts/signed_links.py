"""Mailed tokens that need no row of their own: the id of what they are about, signed with a time that is part of it.

When that time changes, they stop working; so a link that changes it is used up by that, however often it was mailed.
"""

import hmac
from datetime import datetime
from uuid import UUID

from app.config import Settings
from app.inbound import is_one_of


def sign_link(settings: Settings, purpose: str, subject: UUID, at: datetime) -> str:
    """The token of a link about `subject`, for one purpose and as long as its time is this one."""
    return _token(settings.key(purpose), subject, at)


def subject_of(token: str) -> UUID | None:
    """What a token says it is about, before anybody has checked it."""
    try:
        return UUID(token.partition(".")[0])
    except ValueError:
        return None


def is_signed(settings: Settings, purpose: str, subject: UUID, at: datetime, token: str) -> bool:
    """Whether we made the token, with today's key or an earlier one."""
    return is_one_of(token, [_token(key, subject, at) for key in settings.keys(purpose)])


def _token(key: bytes, subject: UUID, at: datetime) -> str:
    state = int(at.timestamp() * 1_000_000)
    return f"{subject.hex}.{hmac.digest(key, f'{subject.hex}.{state}'.encode(), 'sha256').hex()}"

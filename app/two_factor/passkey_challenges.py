"""The random number that a passkey signs: for one purpose, one browser, five minutes and one answer.

It waits in the signed state cookie, so that a page of the log-in form that nobody uses costs no row. What has been answered
is noted in the database until it would have expired anyway: that makes the cookie, which could be copied, good only once.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from app import clock
from app.two_factor.models import UsedPasskeyChallenge
from core.requests import Request

BYTES = 32
LIFETIME = timedelta(minutes=5)
STATE = "passkey_challenge"


def new_challenge(request: Request, purpose: str) -> bytes:
    """Make a challenge and remember it in this browser. `purpose` names what it is for and whose: "log in", "register <id>"."""
    challenge = secrets.token_bytes(BYTES)
    request.session[STATE] = {
        "challenge": bytes_to_base64url(challenge),
        "purpose": purpose,
        "expires_at": (clock.now() + LIFETIME).timestamp(),
    }
    return challenge


async def take_challenge(request: Request, db: AsyncSession, purpose: str) -> bytes | None:
    """Use up the challenge that waits in this browser, or None if there is none for this purpose that is still good."""
    waiting = request.session.pop(STATE, None)
    if not isinstance(waiting, dict) or waiting.get("purpose") != purpose:
        return None
    if clock.now().timestamp() >= float(waiting["expires_at"]):
        return None
    challenge = base64url_to_bytes(str(waiting["challenge"]))
    return challenge if await _use_up(db, challenge) else None


async def forget_challenges(db: AsyncSession) -> int:
    """Forget used challenges that have expired since; returns how many."""
    is_over = UsedPasskeyChallenge.expires_at <= clock.now()
    gone = await db.scalars(delete(UsedPasskeyChallenge).where(is_over).returning(UsedPasskeyChallenge.challenge_hash))
    return len(gone.all())


async def _use_up(db: AsyncSession, challenge: bytes) -> bool:
    values = {"challenge_hash": hashlib.sha256(challenge).digest(), "expires_at": clock.now() + LIFETIME}
    statement = insert(UsedPasskeyChallenge).values(values).on_conflict_do_nothing()
    return await db.scalar(statement.returning(UsedPasskeyChallenge.challenge_hash)) is not None

"""People on their way to a provider and back: what is remembered of them, by whom it is found again, and only once."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.sessions import hash_token, new_token
from app.connections.models import OauthState

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Departure:
    """What goes along to the provider: the state, the nonce, and the challenge to the code verifier that stays (RFC 7636)."""

    state: str
    nonce: str
    code_challenge: str


async def begin(
    db: AsyncSession, *, provider: str, browser: str, next_path: str = "", user_id: UUID | None = None
) -> Departure:
    """Remember somebody who goes to a provider. `browser` is a secret that only their browser holds."""
    state, nonce, verifier = new_token(), new_token(), new_token()
    row = OauthState(
        state_hash=hash_token(state),
        browser_hash=hash_token(browser),
        provider=provider,
        code_verifier=verifier,
        nonce=nonce,
        next_path=next_path,
        user_id=user_id,
        expires_at=clock.now() + LIFETIME,
    )
    db.add(row)
    await db.flush()
    return Departure(state, nonce, code_challenge(verifier))


async def take(db: AsyncSession, state: str, *, provider: str, browser: str) -> OauthState | None:
    """Find somebody who came back, and forget them: of any number of requests with one state, one finds something.

    None for a state that we did not give out, that is over, that belongs to another provider (whose answer must not be
    taken to this one) or to another browser (whose owner would be logged in as somebody else).
    """
    statement = delete(OauthState).where(OauthState.state_hash == hash_token(state)).returning(OauthState)
    found = (await db.scalars(statement.execution_options(synchronize_session=False))).one_or_none()
    if found is None or found.expires_at <= clock.now():
        return None
    is_same = found.provider == provider and bool(browser) and found.browser_hash == hash_token(browser)
    return found if is_same else None


async def forget(db: AsyncSession) -> int:
    """Delete what nobody came back for; returns how many."""
    gone = await db.scalars(delete(OauthState).where(OauthState.expires_at <= clock.now()).returning(OauthState.id))
    return len(gone.all())


def code_challenge(verifier: str) -> str:
    """The method S256 of RFC 7636 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

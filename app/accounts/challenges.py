"""Half-finished log-ins: written after the first proof, used up by the second."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.models import ENTERING, LoginChallenge, User
from app.accounts.sessions import hash_token, new_token

LIFETIME = timedelta(minutes=10)


async def begin_challenge(db: AsyncSession, user: User, *, method: str, next_path: str, is_remembered: bool) -> str:
    """Note that a person gave a first proof; returns the token by which their browser goes on."""
    token = new_token()
    challenge = LoginChallenge(
        token_hash=hash_token(token),
        user_id=user.id,
        method=method,
        next_path=next_path,
        is_remembered=is_remembered,
        expires_at=clock.now() + LIFETIME,
    )
    db.add(challenge)
    await db.flush()
    return token


async def find_challenge(db: AsyncSession, token: str) -> LoginChallenge | None:
    """The half-finished log-in of a token while it may still be finished, with its user and their address."""
    statement = (
        select(LoginChallenge)
        .options(joinedload(LoginChallenge.user).joinedload(User.primary_email))
        .where(LoginChallenge.token_hash == hash_token(token), LoginChallenge.expires_at > clock.now())
    )
    challenge = (await db.scalars(statement)).one_or_none()
    return challenge if challenge and challenge.user.status in ENTERING else None


async def use_challenge(db: AsyncSession, challenge: LoginChallenge) -> bool:
    """Use a half-finished log-in up; of any number of requests that try at once, one gets True."""
    statement = delete(LoginChallenge).where(LoginChallenge.id == challenge.id).returning(LoginChallenge.id)
    return await db.scalar(statement.execution_options(synchronize_session=False)) is not None

"""Making tokens, using them and taking them back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.accounts.sessions import hash_token
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.language import N_
from app.tokens import emails, queries
from app.tokens.models import PersonalToken
from app.tokens.spelling import is_well_formed, new_secret

MOST_TOKENS = 50
SEEN_EVERY = timedelta(minutes=1)
ENDING_LENGTH = 4


class TooManyTokens(Refusal):
    """The person has as many tokens as one may have."""

    def __init__(self) -> None:
        super().__init__(N_("You have as many tokens as you can have. Revoke one that you no longer need."))


async def create_token(
    db: AsyncSession,
    settings: Settings,
    user: User,
    *,
    name: str,
    scopes: Sequence[str],
    lifetime: timedelta,
    facts: RequestFacts,
) -> tuple[PersonalToken, str]:
    """Give a person a new token; the second value is the token itself, which nobody can find out later.

    Raises TooManyTokens. The person is told by mail.
    """
    if await queries.count_tokens(db, user) >= MOST_TOKENS:
        raise TooManyTokens
    secret = new_secret()
    token = PersonalToken(
        token_hash=hash_token(secret),
        user_id=user.id,
        name=name,
        ending=secret[-ENDING_LENGTH:],
        scopes=sorted(scopes),
        expires_at=clock.now() + lifetime,
    )
    db.add(token)
    await db.flush()
    await emails.send_token_created(db, settings, user, token)
    changes = {"scopes": [None, token.scopes]}
    await record_by(db, "tokens.created", user, facts, target=("token", token.id, token.name), changes=changes)
    return token, secret


async def revoke_token(db: AsyncSession, user: User, token_id: UUID, *, facts: RequestFacts) -> str | None:
    """Take one of a person's tokens back for good; returns its name, or None if they have no such token."""
    statement = (
        update(PersonalToken)
        .where(PersonalToken.id == token_id, PersonalToken.user_id == user.id, PersonalToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(PersonalToken.name)
        .execution_options(synchronize_session=False)
    )
    name = await db.scalar(statement)
    if name is not None:
        await record_by(db, "tokens.revoked", user, facts, target=("token", token_id, name))
    return name


async def revoke_tokens_since(db: AsyncSession, user: User, since: datetime, *, facts: RequestFacts) -> None:
    """Take back what a person was given tokens for since a time."""
    statement = select(PersonalToken.id).where(
        PersonalToken.user_id == user.id, PersonalToken.created_at >= since, PersonalToken.revoked_at.is_(None)
    )
    for token_id in await db.scalars(statement):
        await revoke_token(db, user, token_id, facts=facts)


async def revoke_leaked_tokens(
    db: AsyncSession, settings: Settings, places: Mapping[str, str], *, facts: RequestFacts
) -> set[str]:
    """Revoke tokens that somebody published, and tell their owners where; returns those that are, or were, tokens of ours.

    `places` says of each token at which address it was found.
    """
    secrets = {hash_token(secret): secret for secret in places if is_well_formed(secret)}
    known = await queries.list_by_hash(db, list(secrets))
    for token in known:
        place = places[secrets[token.token_hash]]
        statement = update(PersonalToken).where(PersonalToken.id == token.id, PersonalToken.revoked_at.is_(None))
        revoked = statement.values(revoked_at=clock.now()).returning(PersonalToken.id)
        if await db.scalar(revoked.execution_options(synchronize_session=False)) is not None:
            await emails.send_token_leaked(db, settings, token, place=place)
            await _note_leak(db, token, place, facts)
    return {secrets[token.token_hash] for token in known}


async def note_token_used(db: AsyncSession, token: PersonalToken, *, ip: str | None) -> None:
    """Remember when and from where a token was used. Once a minute is enough, and parallel requests do not wait for it."""
    now = clock.now()
    if token.last_used_at is not None and now - token.last_used_at < SEEN_EVERY:
        return
    free = select(PersonalToken.id).where(PersonalToken.id == token.id).with_for_update(skip_locked=True)
    statement = update(PersonalToken).where(PersonalToken.id.in_(free)).values(last_used_at=now, last_used_ip=ip)
    unrecorded = "What is done with a token is recorded where it is done."
    await db.execute(statement.execution_options(synchronize_session=False, unrecorded=unrecorded))


async def _note_leak(db: AsyncSession, token: PersonalToken, place: str, facts: RequestFacts) -> None:
    """Into the audit trail of the owner, who did not do it."""
    await record(
        db,
        "tokens.leaked",
        actor_id=None,
        target_type="user",
        target_id=token.user_id,
        target_label=token.name,
        changes={"place": [None, place]},
        request=facts,
    )

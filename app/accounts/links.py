"""Mailed links: made, and used up once. What makes one work is in `queries.link_works`."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import queries
from app.accounts.codes import Code
from app.accounts.models import Email, OneTimeToken, Purpose
from app.accounts.sessions import hash_token, new_token
from app.config import Settings
from app.email.links import absolute
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_

LIFETIMES = {
    Purpose.VERIFY: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.LOG_IN: timedelta(minutes=15),
    Purpose.CONFIRM: timedelta(minutes=15),
}


class LinkDoesNotWork(Refusal):
    """A mailed link was used, has expired, was replaced by a newer one, or never was one. We do not say which."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__(N_("This link does not work any more."))


async def create_link(db: AsyncSession, purpose: Purpose, email_id: UUID, *, code: Code | None = None) -> str:
    """Write a link's token, and the code beside it, for an address.

    For an address that does not exist the same statement writes nothing.
    """
    now, token = clock.now(), new_token()
    columns: dict[str, Any] = {  # Any: columns of different types.
        "id": literal(uuid7()),
        "token_hash": literal(hash_token(token)),
        "purpose": literal(str(purpose)),
        "user_id": Email.user_id,
        "email_id": Email.id,
        "sent_to": Email.address,
        "created_at": literal(now),
        "expires_at": literal(now + LIFETIMES[purpose]),
        "attempts": literal(0),
    }
    if code is not None:
        columns |= {"browser_hash": literal(code.browser_hash), "code_hash": literal(code.code_hash)}
    source = select(*columns.values()).where(Email.id == email_id)
    await db.execute(insert(OneTimeToken).from_select(list(columns), source, include_defaults=False))
    return token


async def use_link(db: AsyncSession, token: str, purpose: Purpose) -> Email:
    """Use a link up, in one statement: of any number of requests that try at once, one succeeds. Raises LinkDoesNotWork."""
    statement = (
        update(OneTimeToken)
        .where(OneTimeToken.token_hash == hash_token(token), *queries.link_works(purpose))
        .values(used_at=clock.now())
        .returning(OneTimeToken.email_id)
        .execution_options(synchronize_session=False)
    )
    email_id = await db.scalar(statement)
    email = await queries.find_email(db, email_id) if email_id else None
    if email is None:
        raise LinkDoesNotWork
    return email


def mailed_url(settings: Settings, path: str, token: str) -> str:
    """The address that a message leads to: `path` on the configured site, with the token."""
    return absolute(settings, f"{path}?{urlencode({'token': token})}")

"""Short codes beside mailed links: six digits for people who read their mail on another device.

A code can be guessed, so it works only in the browser that asked for it, and a few wrong ones end it. What the database
keeps is useless without the key.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import case, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import queries
from app.accounts.models import Email, OneTimeToken, Purpose
from app.accounts.sessions import hash_token
from app.config import Settings
from app.errors import Refusal
from app.language import N_

DIGITS = 6
MOST_ATTEMPTS = 5


class CodeDoesNotWork(Refusal):
    """A code is wrong, was used, has expired, was tried too often, or belongs to another browser. We do not say which."""

    def __init__(self) -> None:
        super().__init__(N_("This code does not work. Check it, or ask for a new one: five wrong codes end it."))


@dataclass(frozen=True)
class Code:
    """A new code, and what the database keeps of it."""

    digits: str
    browser_hash: bytes
    code_hash: bytes


def new_code(settings: Settings, purpose: Purpose, browser: str) -> Code:
    """A code that works in the browser (or the session) that `browser` is the secret of."""
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    return Code(digits, hash_token(browser), _hash_code(settings, purpose, browser, digits))


async def use_code(db: AsyncSession, settings: Settings, purpose: Purpose, *, browser: str, digits: str) -> Email:
    """Use a code up, and return the address that it was sent to. Raises CodeDoesNotWork.

    One statement counts the attempt and judges it, so that any number of requests at once have five attempts together. A
    wrong one must count: the caller lets its transaction commit.
    """
    is_right = OneTimeToken.code_hash == _hash_code(settings, purpose, browser, digits)
    statement = (
        update(OneTimeToken)
        .where(
            OneTimeToken.browser_hash == hash_token(browser),
            OneTimeToken.attempts < MOST_ATTEMPTS,
            *queries.link_works(purpose),
        )
        .values(attempts=OneTimeToken.attempts + 1, used_at=case((is_right, clock.now()), else_=OneTimeToken.used_at))
        .returning(OneTimeToken.email_id, OneTimeToken.used_at)
        .execution_options(synchronize_session=False)
    )
    rows = (await db.execute(statement)).all()
    email_id = next((row.email_id for row in rows if row.used_at), None)
    email = await queries.find_email(db, email_id) if email_id else None
    if email is None:
        raise CodeDoesNotWork
    return email


def _hash_code(settings: Settings, purpose: Purpose, browser: str, digits: str) -> bytes:
    return hmac.digest(settings.key("codes"), f"{purpose}\0{browser}\0{digits}".encode(), hashlib.sha256)

"""Recovery codes: ten of 80 random bits, each good once, for the day when the phone is lost.

The database holds their HMAC under a key that it does not have, so that a copy of it is not enough to try codes against.
That, and 80 bits, is why no slow password hash is needed here.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.ids import uuid7
from app.two_factor.authenticator_app import normalized
from app.two_factor.models import RecoveryCode

COUNT = 10
# From this number of codes on, people are asked to make new ones.
FEW = 3
CHARACTERS = 16
GROUP = 4
# Crockford's base32 without the letters that are mistaken for digits: five bits a character.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


async def replace_codes(db: AsyncSession, settings: Settings, user: User) -> list[str]:
    """Make a person's ten codes; those they had before work no more. The codes are returned here and never again."""
    await burn_codes(db, user)
    codes = [_new_code() for _ in range(COUNT)]
    now, key = clock.now(), settings.key("recovery codes")
    rows = [
        {"id": uuid7(), "user_id": user.id, "code_hash": _hash(key, normalized(code)), "created_at": now}
        for code in codes
    ]
    await db.execute(insert(RecoveryCode), rows)
    return codes


async def burn_codes(db: AsyncSession, user: User, *, since: datetime | None = None) -> None:
    """End the codes of a person that are still good, all or those made since a time."""
    unused = [RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None)]
    if since is not None:
        unused.append(RecoveryCode.created_at >= since)
    statement = update(RecoveryCode).where(*unused).values(used_at=clock.now())
    await db.execute(statement.execution_options(synchronize_session=False))


async def use_code(db: AsyncSession, settings: Settings, user: User, typed: str) -> bool:
    """Burn one code. Of any number of requests that bring the same code at once, one gets True."""
    hashes = _hashes(settings.keys("recovery codes"), normalized(typed))
    statement = (
        update(RecoveryCode)
        .where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None), RecoveryCode.code_hash.in_(hashes))
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    return await db.scalar(statement.execution_options(synchronize_session=False)) is not None


def _new_code() -> str:
    characters = "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))
    return "-".join(characters[start : start + GROUP] for start in range(0, CHARACTERS, GROUP))


def _hashes(keys: Sequence[bytes], code: str) -> list[bytes]:
    """What the code may be stored as: letters that look like digits count as the digits that they are mistaken for."""
    meant = code.translate(str.maketrans("oil", "011"))
    return [_hash(key, meant) for key in keys]


def _hash(key: bytes, code: str) -> bytes:
    return hmac.digest(key, code.encode(), hashlib.sha256)

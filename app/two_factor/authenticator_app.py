"""Codes from an authenticator app (TOTP, RFC 6238): six digits that change every thirty seconds and work once each."""

import hmac
import io
import unicodedata
from datetime import timedelta
from urllib.parse import quote

import pyotp
import segno
from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.encryption import decrypt, encrypt, is_outdated
from app.ids import uuid7
from app.two_factor.models import Totp

DIGITS = 6
STEP_SECONDS = 30
# One step to either side, for clocks that differ and for people who type slowly (RFC 6238 section 5.2).
TOLERATED_STEPS = (0, -1, 1)
SECRET_CHARACTERS = 32  # Of base32: 160 bits, as RFC 4226 section 4 recommends.
SET_UP_WITHIN = timedelta(hours=1)
QR_SCALE = 5
QR_BORDER = 4  # Modules of white around it, without which cameras do not find it (ISO/IEC 18004).


async def begin(db: AsyncSession, settings: Settings, user: User) -> bool:
    """Make a secret that waits for its first code, in place of one that waited before; False if an app is set up already."""
    now, row_id = clock.now(), uuid7()
    encrypted = encrypt(_keys(settings), pyotp.random_base32(SECRET_CHARACTERS).encode(), table="totp", row_id=row_id)
    values = {"id": row_id, "user_id": user.id, "secret": encrypted, "created_at": now}
    statement = insert(Totp).values(values)
    replacing = statement.on_conflict_do_update(
        index_elements=[Totp.user_id],
        set_={name: statement.excluded[name] for name in ("id", "secret", "created_at")},
        where=Totp.confirmed_at.is_(None),
    )
    unproved = replacing.returning(Totp.id).execution_options(unrecorded="No factor before its first code is proved.")
    return await db.scalar(unproved) is not None


def secret_of(settings: Settings, totp: Totp) -> str:
    """The secret in base32, as people type it into their app."""
    return decrypt(_keys(settings), totp.secret, table="totp", row_id=totp.id).decode()


def qr_code(settings: Settings, user: User, secret: str) -> str:
    """The picture that an app scans, as a `data:` address of an SVG."""
    address = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings.product_name)
    picture = io.BytesIO()
    segno.make(address, error="m").save(
        picture, kind="svg", scale=QR_SCALE, border=QR_BORDER, dark="#12161c", light="#ffffff", xmldecl=False
    )
    return f"data:image/svg+xml,{quote(picture.getvalue())}"


async def use_code(db: AsyncSession, settings: Settings, totp: Totp, typed: str) -> bool:
    """Accept a code once. Of any number of requests that bring the same code at once, one gets True.

    Only a step later than the last accepted one passes, and the database decides: the statement that moves the step on
    is the check. How the code is spelled ("123 456", full-width digits) makes no other code of it.
    """
    secret = secret_of(settings, totp)
    step = _step_of(secret, normalized(typed))
    if step is None:
        return False
    values: dict[str, object] = {"last_used_step": step}
    if is_outdated(_keys(settings), totp.secret):
        values["secret"] = encrypt(_keys(settings), secret.encode(), table="totp", row_id=totp.id)
    is_new = or_(Totp.last_used_step.is_(None), Totp.last_used_step < step)
    statement = update(Totp).where(Totp.id == totp.id, is_new).values(values).returning(Totp.id)
    return await db.scalar(statement.execution_options(synchronize_session=False)) is not None


def normalized(typed: str) -> str:
    """A code as it was meant: compatibility forms resolved (full-width digits), blanks and hyphens left out, lower case."""
    text = unicodedata.normalize("NFKC", typed).casefold()
    return "".join(character for character in text if character.isalnum())


def is_waiting(totp: Totp | None) -> bool:
    """Whether a secret still waits for its first code; after an hour it has been seen for long enough."""
    return totp is not None and totp.confirmed_at is None and clock.now() - totp.created_at < SET_UP_WITHIN


def _step_of(secret: str, code: str) -> int | None:
    """The time step whose code this is, or None."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    now = int(clock.now().timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    steps = (now + offset for offset in TOLERATED_STEPS)
    return next((step for step in steps if hmac.compare_digest(generator.generate_otp(step), code)), None)


def _keys(settings: Settings) -> list[bytes]:
    return settings.keys("totp")

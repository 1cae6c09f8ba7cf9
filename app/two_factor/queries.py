"""What is known of people's second factors."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.accounts.models import ENTERING, User
from app.errors import Refusal
from app.language import N_
from app.two_factor.models import LostAccess, Passkey, RecoveryCode, Totp
from app.two_factor.recovery_codes import FEW


class PasskeyNotFound(Refusal):
    """The person has no such passkey; whether somebody else has is not said."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("You have no such passkey."))


@dataclass(frozen=True)
class Factors:
    """Everything a person holds besides a password. `totp` may still wait for its first code."""

    totp: Totp | None
    passkeys: Sequence[Passkey]
    recovery_codes: int
    # Whether the person has said that all of these are lost (`lost_access`).
    are_lost: bool = False

    @property
    def has_app(self) -> bool:
        return self.totp is not None and self.totp.confirmed_at is not None

    @property
    def app(self) -> Totp | None:
        """The authenticator app, if it has been set up to the end."""
        return self.totp if self.has_app else None

    @property
    def count(self) -> int:
        """How many second factors there are; recovery codes stand in for one and are none themselves."""
        return len(self.passkeys) + self.has_app

    @property
    def is_short_of_codes(self) -> bool:
        return self.count > 0 and self.recovery_codes <= FEW


async def find_factors(db: AsyncSession, user_id: UUID) -> Factors:
    """A person's second factors, in two statements."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    are_lost = exists().where(LostAccess.user_id == user_id, LostAccess.closed_at.is_(None))
    person = (
        select(unused.scalar_subquery(), are_lost, Totp)
        .select_from(User)
        .outerjoin(Totp, Totp.user_id == User.id)
        .where(User.id == user_id)
    )
    count, lost, totp = (await db.execute(person)).one()
    return Factors(totp, await list_passkeys(db, user_id), count, lost)


async def list_passkeys(db: AsyncSession, user_id: UUID) -> Sequence[Passkey]:
    """A person's passkeys, the oldest first."""
    statement = select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at, Passkey.id)
    return (await db.scalars(statement)).all()


async def get_passkey(db: AsyncSession, user_id: UUID, passkey_id: UUID) -> Passkey:
    """One of a person's own passkeys. Raises PasskeyNotFound."""
    passkey = await db.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id))
    if passkey is None:
        raise PasskeyNotFound
    return passkey


async def find_passkey(db: AsyncSession, credential_id: bytes) -> Passkey | None:
    """The passkey of a credential id, with its person and their address, if that person may log in."""
    statement = (
        select(Passkey)
        .join(Passkey.user)
        .outerjoin(User.primary_email)
        .options(contains_eager(Passkey.user).contains_eager(User.primary_email))
        .where(Passkey.credential_id == credential_id, User.status.in_(ENTERING))
    )
    return (await db.scalars(statement)).one_or_none()

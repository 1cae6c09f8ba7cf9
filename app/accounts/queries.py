"""What is known about people. Sessions and links are looked up by the hash of their token."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, contains_eager, joinedload

from app import clock
from app.accounts.models import ENTERING, Email, OneTimeToken, Password, Purpose, Session, User
from app.accounts.sessions import hash_token
from app.database import user_named
from app.reads import Read


@dataclass(frozen=True)
class Account:
    """What logging in needs to know of the person who has, or claims, an address."""

    user: User
    email: Email
    password_hash: str | None

    @property
    def is_verified(self) -> bool:
        return self.email.verified_at is not None


_LIVE_SESSION = Read(
    select(Session, User, Email, user_named(Session.user_id))
    .join(Session.user)
    .outerjoin(User.primary_email)
    .where(
        Session.token_hash == bindparam("token_hash"),
        Session.revoked_at.is_(None),
        Session.expires_at > bindparam("now"),
        Session.idle_expires_at > bindparam("now"),
        User.status == "active",
    ),
    Session.user,
    User.primary_email,
)


async def find_session(db: AsyncSession, token: str) -> Session | None:
    """The live session of a cookie's token, with its user and their address loaded.

    The same statement names the user to the database (`app.user_id`), which row-level security goes by afterwards.
    """
    row = await _LIVE_SESSION.first(db, token_hash=hash_token(token), now=clock.now())
    return row[0] if row else None


async def find_account(db: AsyncSession, address: str) -> Account | None:
    """The person whose verified address this is; failing that, the newest who claims it."""
    statement = (
        select(User, Email, Password.hash)
        .join(Email, Email.user_id == User.id)
        .outerjoin(Password, Password.user_id == User.id)
        .where(func.lower(Email.address) == address.lower(), User.status.in_(ENTERING), _may_enter())
        .order_by(Email.verified_at.is_(None), Email.created_at.desc(), Email.id.desc())
        .limit(1)
    )
    row = (await db.execute(statement)).one_or_none()
    return Account(*row) if row else None


async def find_claim(db: AsyncSession, address: str) -> tuple[Email | None, bool]:
    """The newest claim of an address that nobody proved, and whether the address has an owner by now."""
    owned = aliased(Email)
    is_owned = exists().where(func.lower(owned.address) == address.lower(), owned.verified_at.is_not(None))
    statement = (
        select(Email, is_owned.label("is_owned"))
        .where(func.lower(Email.address) == address.lower(), Email.verified_at.is_(None), _may_enter())
        .order_by(Email.created_at.desc(), Email.id.desc())
        .limit(1)
    )
    row = (await db.execute(statement)).one_or_none()
    return (row[0], row[1]) if row else (None, False)


def _may_enter() -> ColumnElement[bool]:
    """An address is a way in once it is verified, or while it is the only thing that its person has.

    One that somebody added to an account and never proved leads nowhere: its true owner must not be sent into that account.
    """
    proved = aliased(Email)
    return or_(
        Email.verified_at.is_not(None),
        ~exists().where(proved.user_id == Email.user_id, proved.verified_at.is_not(None)),
    )


async def find_email(db: AsyncSession, email_id: UUID) -> Email | None:
    """An address with its user."""
    return await db.scalar(select(Email).options(joinedload(Email.user)).where(Email.id == email_id))


async def get_primary_address(db: AsyncSession, user_id: UUID) -> str:
    """The address that messages to a person go to. Raises NoResultFound for somebody who has proved none."""
    return (await db.scalars(select(Email.address).where(Email.user_id == user_id, Email.is_primary))).one()


async def list_verified_addresses(db: AsyncSession, user_id: UUID) -> Sequence[str]:
    """Every address that a person has proved: where warnings go that a thief must not be able to keep from them."""
    statement = select(Email.address).where(Email.user_id == user_id, Email.verified_at.is_not(None))
    return (await db.scalars(statement.order_by(Email.is_primary.desc(), Email.id))).all()


async def is_address_owned(db: AsyncSession, address: str) -> bool:
    """Whether somebody has proved that the address is theirs."""
    statement = select(exists().where(func.lower(Email.address) == address.lower(), Email.verified_at.is_not(None)))
    return bool(await db.scalar(statement))


async def find_link(db: AsyncSession, token: str, purpose: Purpose) -> Email | None:
    """The address that a mailed link is for, with its user, while the link works; looking does not use it up."""
    statement = (
        select(Email)
        .join(Email.user)
        .options(contains_eager(Email.user))
        .join(OneTimeToken, OneTimeToken.email_id == Email.id)
        .where(OneTimeToken.token_hash == hash_token(token), *link_works(purpose), User.status.in_(ENTERING))
    )
    return (await db.scalars(statement)).one_or_none()


def link_works(purpose: Purpose) -> list[ColumnElement[bool]]:
    """The conditions under which a row of `one_time_tokens` still does what it was mailed for.

    It dies with its address (another one now) and with the password (changed since). Of links that reset a password only
    the newest works, so that an old mail in a lost mailbox is worth nothing.
    """
    newer, address, password = aliased(OneTimeToken), aliased(Email), aliased(Password)
    conditions = [
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > clock.now(),
        exists().where(address.id == OneTimeToken.email_id, address.address == OneTimeToken.sent_to),
        ~exists().where(password.user_id == OneTimeToken.user_id, password.changed_at > OneTimeToken.created_at),
    ]
    if purpose is Purpose.RESET:
        conditions.append(
            ~exists().where(
                newer.user_id == OneTimeToken.user_id,
                newer.purpose == OneTimeToken.purpose,
                newer.created_at > OneTimeToken.created_at,
            )
        )
    return conditions


async def find_user(db: AsyncSession, address: str) -> User | None:
    """The person who has proved that the address is theirs."""
    account = await find_account(db, address)
    return account.user if account and account.is_verified else None


async def count_sessions(db: AsyncSession, user_id: UUID) -> int:
    """How many of a person's sessions are live."""
    now = clock.now()
    live = (Session.revoked_at.is_(None), Session.expires_at > now, Session.idle_expires_at > now)
    return await db.scalar(select(func.count()).select_from(Session).where(Session.user_id == user_id, *live)) or 0

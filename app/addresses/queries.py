"""What is known about a person's addresses and the links mailed about them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import Email, Password, User
from app.accounts.sessions import hash_token
from app.addresses.models import AddressLink, LinkKind
from app.errors import Refusal
from app.language import N_


async def list_addresses(db: AsyncSession, user_id: UUID) -> Sequence[Email]:
    """A person's addresses, the primary one first, then as they were added."""
    statement = select(Email).where(Email.user_id == user_id)
    return (await db.scalars(statement.order_by(Email.is_primary.desc(), Email.created_at, Email.id))).all()


class AddressNotFound(Refusal):
    """The person has no such address; whether somebody else has is not said."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("You have no such address."))


async def get_address(db: AsyncSession, user_id: UUID, email_id: UUID) -> Email:
    """One of a person's addresses. Raises AddressNotFound."""
    email = await db.scalar(select(Email).where(Email.id == email_id, Email.user_id == user_id))
    if email is None:
        raise AddressNotFound
    return email


async def find_own_address(db: AsyncSession, user_id: UUID, address: str) -> Email | None:
    """A person's row of an address, however its letters are written."""
    return await db.scalar(select(Email).where(func.lower(Email.address) == address.lower(), Email.user_id == user_id))


async def find_owner(db: AsyncSession, address: str) -> User | None:
    """Whoever has proved that the address is theirs."""
    statement = select(User).join(Email, Email.user_id == User.id)
    return await db.scalar(
        statement.where(func.lower(Email.address) == address.lower(), Email.verified_at.is_not(None))
    )


async def find_link(db: AsyncSession, token: str, kinds: Sequence[LinkKind]) -> AddressLink | None:
    """A mailed link while it works; looking does not use it up."""
    return await db.scalar(select(AddressLink).where(AddressLink.token_hash == hash_token(token), *link_works(kinds)))


def link_works(kinds: Sequence[LinkKind]) -> list[ColumnElement[bool]]:
    """The conditions under which a link still does what it was mailed for.

    A change that waits for its confirmation is off once the password has changed: whoever asked for it may have been the
    reason. The link that takes a change back lives on, because a thief changes the password too.
    """
    conditions = [AddressLink.kind.in_(kinds), AddressLink.used_at.is_(None), AddressLink.expires_at > clock.now()]
    if LinkKind.UNDO not in kinds:
        changed = exists().where(Password.user_id == AddressLink.user_id, Password.changed_at > AddressLink.created_at)
        conditions.append(~changed)
    return conditions

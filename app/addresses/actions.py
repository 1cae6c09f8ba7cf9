"""Adding, proving and removing a person's addresses, and choosing the primary one.

Whether an address belongs to somebody else is told to nobody but its owner, by mail.
"""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.address_locks import lock_address
from app.accounts.links import LinkDoesNotWork
from app.accounts.models import Email, User
from app.accounts.sessions import hash_token, new_token
from app.accounts.signing_up import prove_address
from app.addresses import emails, queries
from app.addresses.models import AddressLink, LinkKind
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_

MOST_ADDRESSES = 10
CONFIRMING = (LinkKind.ADD, LinkKind.CHANGE)
LIFETIMES = {
    LinkKind.ADD: timedelta(hours=24),
    LinkKind.CHANGE: timedelta(hours=24),
    LinkKind.UNDO: timedelta(hours=72),
}


class AlreadyYours(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("This address is already in your list."))


class TooManyAddresses(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("An account has room for ten addresses. Remove one first."))


class NotVerified(Refusal):
    def __init__(self) -> None:
        super().__init__(N_("Confirm this address before you make it the primary one."))


class PrimaryStays(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Messages go to your primary address. Make another one primary before you remove it."))


async def add_address(
    db: AsyncSession, settings: Settings, user: User, *, address: str, becomes_primary: bool, facts: RequestFacts
) -> Email:
    """Claim another address and mail its owner a link. Raises AlreadyYours and TooManyAddresses."""
    await _lock(db, user)
    own = await queries.list_addresses(db, user.id)
    if any(address.lower() == each.address.lower() for each in own):
        raise AlreadyYours
    if len(own) >= MOST_ADDRESSES:
        raise TooManyAddresses
    email = Email(id=uuid7(), user_id=user.id, address=address)
    db.add(email)
    await _note(db, "addresses.added", user, email, facts)
    await send_link(db, settings, user, email, becomes_primary=becomes_primary)
    return email


async def send_link(
    db: AsyncSession, settings: Settings, user: User, email: Email, *, becomes_primary: bool = False
) -> None:
    """Mail the link that proves an address, or to somebody whose address it is already the notice that it was tried."""
    kind = LinkKind.CHANGE if becomes_primary else LinkKind.ADD
    token = await _create_link(db, user, kind, address=email.address)
    owner = await queries.find_owner(db, email.address)
    if owner is None:
        await emails.send_confirmation(db, settings, user, to=email.address, token=token)
    elif owner.id != user.id:
        await emails.send_already_used(db, settings, owner, to=email.address)


async def confirm_address(
    db: AsyncSession, settings: Settings, user: User, *, token: str, facts: RequestFacts
) -> Email:
    """Prove an address by its mailed link, and make it the primary one if that was asked for. Raises LinkDoesNotWork.

    Only the person who added the address can: who opens the link in another account did not ask for this.
    """
    found = await queries.find_link(db, token, CONFIRMING)
    if found is None:
        raise LinkDoesNotWork
    await lock_address(db, found.address)
    link = await _use_link(db, token, *CONFIRMING, user=user)
    email = await queries.find_own_address(db, user.id, link.address)
    if email is None:
        raise LinkDoesNotWork
    await prove_address(db, email, becomes_primary=False)
    await _note(db, "addresses.verified", user, email, facts)
    if link.kind == LinkKind.CHANGE:
        await make_primary(db, settings, user, email, facts=facts)
    else:
        await emails.send_added(db, settings, user, to=user.email, address=email.address)
    return email


async def make_primary(db: AsyncSession, settings: Settings, user: User, email: Email, *, facts: RequestFacts) -> None:
    """Have messages go to another address. The one before is told, with a link that takes it back. Raises NotVerified."""
    await _lock(db, user)
    if email.verified_at is None:
        raise NotVerified
    before = next((each for each in await queries.list_addresses(db, user.id) if each.is_primary), None)
    if before is None or before.id == email.id:
        return
    before.is_primary = False
    await db.flush()
    email.is_primary = True
    await db.flush()
    token = await _create_link(db, user, LinkKind.UNDO, address=email.address, previous_address=before.address)
    await emails.send_primary_changed(db, settings, user, to=before.address, address=email.address, token=token)
    await emails.send_primary_is(db, settings, user, to=email.address)
    changes = {"address": [before.address, email.address]}
    await record_by(db, "addresses.primary_changed", user, facts, target=("user", user.id, None), changes=changes)


async def remove_address(
    db: AsyncSession, settings: Settings, user: User, email: Email, *, facts: RequestFacts
) -> None:
    """Forget an address. Raises PrimaryStays, so that one proved address is always left."""
    await _lock(db, user)
    await db.refresh(email)
    if email.is_primary:
        raise PrimaryStays
    await db.delete(email)
    await db.flush()
    await _note(db, "addresses.removed", user, email, facts)
    if email.verified_at is not None:
        for address in (user.email, email.address):
            await emails.send_removed(db, settings, user, to=address, address=email.address)


async def _create_link(
    db: AsyncSession, user: User, kind: LinkKind, *, address: str, previous_address: str | None = None
) -> str:
    now, token = clock.now(), new_token()
    link = AddressLink(
        token_hash=hash_token(token),
        kind=kind,
        user_id=user.id,
        address=address,
        previous_address=previous_address,
        created_at=now,
        expires_at=now + LIFETIMES[kind],
    )
    db.add(link)
    await db.flush()
    return token


async def _use_link(db: AsyncSession, token: str, *kinds: LinkKind, user: User | None = None) -> AddressLink:
    """Use a link up in one statement: of any number of requests that try at once, one succeeds. Raises LinkDoesNotWork."""
    statement = update(AddressLink).where(AddressLink.token_hash == hash_token(token), *queries.link_works(kinds))
    if user is not None:
        statement = statement.where(AddressLink.user_id == user.id)
    used = statement.values(used_at=clock.now()).returning(AddressLink)
    link = await db.scalar(used.execution_options(synchronize_session=False))
    if link is None:
        raise LinkDoesNotWork
    return link


async def _lock(db: AsyncSession, user: User) -> None:
    """Changes of one person's addresses happen one after the other."""
    await db.execute(select(User.id).where(User.id == user.id).with_for_update())


async def _note(db: AsyncSession, action: str, user: User, email: Email, facts: RequestFacts) -> None:
    await record_by(db, action, user, facts, target=("email", email.id, email.address))

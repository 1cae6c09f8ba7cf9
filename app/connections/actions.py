"""Becoming a person here by an account elsewhere, and connecting and disconnecting such accounts."""

from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import clock
from app.accounts.address_locks import lock_address
from app.accounts.consents import accept_terms
from app.accounts.models import Email, Password, User
from app.accounts.signing_up import prove_address
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.config_providers import LogInProvider
from app.connections import emails, queries
from app.connections.models import Identity
from app.connections.person import Person
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_
from app.two_factor.models import Passkey


class ConnectedElsewhere(Refusal):
    """The account stands for somebody else already."""

    def __init__(self) -> None:
        super().__init__(N_("This account is connected to another person here. Disconnect it there first."))


class AlreadyConnected(Refusal):
    """The person has connected another account of the same provider."""

    def __init__(self) -> None:
        super().__init__(N_("You have connected another account of this provider. Disconnect it first."))


class LastWayIn(Refusal):
    """Without this account the person could not log in any more."""

    def __init__(self) -> None:
        super().__init__(N_("This is your only way in. Set a password or add a passkey first."))


async def sign_up(
    db: AsyncSession, settings: Settings, provider: LogInProvider, person: Person, *, facts: RequestFacts
) -> User:
    """Make an account for somebody whose address the provider vouches for and nobody here owns. Raises LinkDoesNotWork.

    Whoever claimed the address before and never proved it loses the claim, with the password that they chose for it.
    """
    await lock_address(db, person.proved_email)
    user = User(id=uuid7(), name=person.name)
    email = Email(id=uuid7(), user_id=user.id, address=person.proved_email)
    db.add(user)
    await db.flush()
    db.add(email)
    await db.flush()
    await prove_address(db, email)
    set_committed_value(user, "primary_email", email)
    await accept_terms(db, user, facts=facts)
    db.add(_identity(user, provider, person))
    await db.flush()
    changes = {"methods": [provider.key]}
    await record_by(db, "accounts.signed_up", user, facts, changes=changes)
    return user


async def note_used(db: AsyncSession, identity: Identity, person: Person) -> None:
    """Remember when an account elsewhere let its person in, and what its address is by now."""
    values = {"last_used_at": clock.now(), "email": person.email or None}
    statement = update(Identity).where(Identity.id == identity.id).values(values)
    await db.execute(statement.execution_options(unrecorded="The log-in is recorded, once all its proofs are there."))


async def connect(
    db: AsyncSession, settings: Settings, user: User, provider: LogInProvider, person: Person, *, facts: RequestFacts
) -> None:
    """Let an account elsewhere log this person in from now on. Raises ConnectedElsewhere, AlreadyConnected."""
    found = await queries.find_identity(db, person)
    if found is not None and found.user_id != user.id:
        raise ConnectedElsewhere
    if found is not None:
        return
    identity = _identity(user, provider, person)
    try:
        async with db.begin_nested():
            db.add(identity)
    except IntegrityError:
        raise AlreadyConnected from None
    await emails.send_connected(db, settings, user, provider=provider.name, account=person.email)
    await _note(db, "connections.connected", user, identity.id, provider.name, facts)


async def disconnect(
    db: AsyncSession, settings: Settings, user: User, identity_id: UUID, *, facts: RequestFacts
) -> Identity | None:
    """Let an account elsewhere log this person in no more; None if they have no such connection. Raises LastWayIn."""
    # Two requests at once could each leave the other's way in as the last one.
    await db.execute(select(User.id).where(User.id == user.id).with_for_update())
    own = await queries.list_identities(db, user)
    identity = next((each for each in own if each.id == identity_id), None)
    if identity is None:
        return None
    if len(own) == 1 and not user.email and not await _has_other_way_in(db, user):
        raise LastWayIn
    await db.execute(delete(Identity).where(Identity.id == identity_id))
    name = provider_name(settings, identity.provider)
    await emails.send_disconnected(db, settings, user, provider=name, account=identity.email or "")
    await _note(db, "connections.disconnected", user, identity.id, name, facts)
    return identity


def provider_name(settings: Settings, key: str) -> str:
    """What people call a provider, also one that the settings do not name any more."""
    return next((each.name for each in settings.log_in_providers if each.key == key), key.capitalize())


async def _has_other_way_in(db: AsyncSession, user: User) -> bool:
    """A password or a passkey; a verified address, to which links are mailed, is the caller's question."""
    has_password, has_passkey = (exists().where(table.user_id == user.id) for table in (Password, Passkey))
    return bool(await db.scalar(select(has_password | has_passkey)))


def _identity(user: User, provider: LogInProvider, person: Person) -> Identity:
    return Identity(
        id=uuid7(),
        user_id=user.id,
        provider=provider.key,
        issuer=person.issuer,
        subject=person.subject,
        email=person.email or None,
        last_used_at=clock.now(),
    )


async def _note(
    db: AsyncSession, action: str, user: User, identity_id: UUID, provider: str, facts: RequestFacts
) -> None:
    await record_by(db, action, user, facts, target=("identity", identity_id, provider))

"""Logging in and out, and the sessions in between.

Nothing here tells a stranger whether an address has an account: known and unknown addresses take the same path, with the same
number of statements and hashes, and the difference is in a message that only the owner of the mailbox reads.
"""

from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import clock
from app.accounts import passwords, queries
from app.accounts.choosing import refuse_weak_password
from app.accounts.forms import StaffForm
from app.accounts.models import Password, Session, User
from app.accounts.sessions import hash_token, new_token
from app.accounts.signing_up import add_person
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.config_sessions import SessionLifetimes
from app.database import release_connection, user_named
from app.errors import Refusal
from app.language import N_

SEEN_EVERY = timedelta(minutes=1)
DEFAULT_LIFETIMES = SessionLifetimes()


class WrongCredentials(Refusal):
    """Nobody has this address and this password. Which of the two is wrong is nobody's business."""

    def __init__(self) -> None:
        super().__init__(N_("The e-mail address or the password is wrong."))


class AddressNotVerified(Refusal):
    """The password is right, but nobody has proved yet that the address is theirs."""

    status_code = 403

    def __init__(self, address: str) -> None:
        super().__init__(N_("Confirm your e-mail address first."))
        self.address = address


class InvalidPerson(Refusal):
    """What the command line was told is no name or no address; the message says which."""


async def check_password(db: AsyncSession, *, email: str, password: str, facts: RequestFacts) -> User:
    """The person whose address and password these are; `entering.enter` lets them in.

    Raises WrongCredentials, AddressNotVerified and TooManyPasswords. The first is noted in the audit trail, so the caller
    lets its transaction commit.
    """
    account = await queries.find_account(db, email)
    hashed = account.password_hash if account else None
    await release_connection(db)  # Many people may wait for their turn to hash; the pages of others need connections.
    if not await passwords.matches(password, hashed) or account is None or hashed is None:
        await record(
            db,
            "accounts.log_in_refused",
            actor_id=None,
            target_type="user" if account else None,
            target_id=account.user.id if account else None,
            target_label=account.email.address if account else None,
            request=facts,
        )
        raise WrongCredentials
    if not account.is_verified:
        raise AddressNotVerified(account.email.address)
    if passwords.is_outdated(hashed):
        await _strengthen_hash(db, account.user, await passwords.hash_password(password))
    return account.user


async def note_log_in(db: AsyncSession, user: User, *, methods: list[str], facts: RequestFacts) -> None:
    """Write into the audit trail that a person logged in, and with which proofs."""
    await record_by(db, "accounts.logged_in", user, facts, changes={"methods": methods})


async def start_session(
    db: AsyncSession,
    user: User,
    *,
    methods: list[str],
    facts: RequestFacts,
    is_remembered: bool = True,
    lifetimes: SessionLifetimes = DEFAULT_LIFETIMES,
) -> str:
    """Log a person in: a new session under a new token, whatever the browser held before. Returns the token.

    The statement names the user to row-level security, so that the rest of the transaction sees their organizations.
    """
    now, token = clock.now(), new_token()
    values = {
        "token_hash": hash_token(token),
        "user_id": user.id,
        "last_seen_at": now,
        "expires_at": now + lifetimes.longest(is_remembered=is_remembered),
        "idle_expires_at": now + lifetimes.idle,
        "authenticated_at": now,
        "authentication_methods": methods,
        "is_remembered": is_remembered,
        "ip": facts.ip,
        "user_agent": facts.user_agent,
    }
    await db.execute(insert(Session).values(values).returning(user_named(user.id)))
    return token


async def note_session_seen(db: AsyncSession, session: Session, lifetimes: SessionLifetimes) -> None:
    """Prolong a session that is in use. Once a minute is enough, and of parallel requests one does it, the others go on."""
    now = clock.now()
    if now - session.last_seen_at < SEEN_EVERY:
        return
    free = select(Session.id).where(Session.id == session.id).with_for_update(skip_locked=True)
    statement = update(Session).where(Session.id.in_(free), Session.revoked_at.is_(None))
    seen = statement.values(last_seen_at=now, idle_expires_at=now + lifetimes.idle)
    await db.execute(seen.execution_options(unrecorded="Using a session is no event; its beginning and end are."))


async def log_out(db: AsyncSession, session: Session, *, facts: RequestFacts) -> None:
    """End a session for good."""
    await db.execute(update(Session).where(Session.id == session.id).values(revoked_at=clock.now()))
    await record_by(db, "accounts.logged_out", session.user, facts)


async def note_confirmation(db: AsyncSession, user: User, *, method: str, facts: RequestFacts) -> None:
    """Write into the audit trail that somebody who was logged in proved again who they are."""
    await record_by(db, "accounts.identity_confirmed", user, facts, changes={"methods": [method]})


async def end_sessions(db: AsyncSession, user: User, *, keep: Session | None = None) -> int:
    """End a person's sessions, all but the one to keep; returns how many."""
    live = [Session.user_id == user.id, Session.revoked_at.is_(None), Session.expires_at > clock.now()]
    if keep is not None:
        live.append(Session.id != keep.id)
    statement = update(Session).where(*live).values(revoked_at=clock.now()).returning(Session.id)
    return len((await db.scalars(statement.execution_options(synchronize_session=False))).all())


async def renew_session(db: AsyncSession, session: Session, *, method: str) -> str | None:
    """Note that the person proved again who they are, and give the session a new token; None if it is over by now.

    The old token ends at once: whoever copied it before the proof gets nothing of what the proof opens.
    """
    token, methods = new_token(), session.authentication_methods
    statement = (
        update(Session)
        .where(Session.id == session.id, Session.token_hash == session.token_hash, Session.revoked_at.is_(None))
        .values(
            token_hash=hash_token(token),
            authenticated_at=clock.now(),
            authentication_methods=methods if method in methods else [*methods, method],
        )
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    return token if await db.scalar(statement) else None


async def create_verified_user(db: AsyncSession, *, name: str, email: str, password: str) -> User:
    """Add a person whose address needs no proof: by the command line, for the demonstration, in tests.

    Raises WeakPassword, and IntegrityError if the address has an owner.
    """
    refuse_weak_password(password, (name, email))
    user, claim = await add_person(db, name=name, email=email, hashed=await passwords.hash_password(password))
    claim.verified_at, claim.is_primary = clock.now(), True
    await db.flush()
    set_committed_value(user, "primary_email", claim)
    return user


async def create_staff(db: AsyncSession, *, name: str, email: str, password: str) -> User:
    """Make the owner of an address a member of the product's staff; one without an account gets one with this password.

    Only the command line calls this: it needs the server, not a log-in. Raises InvalidPerson and WeakPassword.
    """
    try:
        person = StaffForm(name=name, email=email)
    except ValidationError as error:
        raise InvalidPerson(" ".join(StaffForm.describe_error(detail) for detail in error.errors())) from None
    user = await queries.find_user(db, person.email)
    if user is None:
        user = await create_verified_user(db, name=person.name, email=person.email, password=password)
    user.is_staff = True
    await record_by(db, "accounts.staff_created", user, RequestFacts())
    return user


async def _strengthen_hash(db: AsyncSession, user: User, hashed: str) -> None:
    """Keep the same password under today's parameters; nothing changes for the person."""
    await db.execute(update(Password).where(Password.user_id == user.id).values(hash=hashed))

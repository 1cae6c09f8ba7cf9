"""Becoming a person here: claiming an address, and proving that it is one's own.

Nothing here tells a stranger whether an address has an account: known and unknown addresses take the same path, with the same
number of statements and hashes, and the difference is in a message that only the owner of the mailbox reads.
"""

from sqlalchemy import delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.accounts import emails, passwords, queries
from app.accounts.address_locks import lock_coded_addresses, lock_linked_address
from app.accounts.choosing import require_good_password
from app.accounts.codes import CodeDoesNotWork, new_code, use_code
from app.accounts.consents import accept_terms
from app.accounts.links import LinkDoesNotWork, create_link, use_link
from app.accounts.models import Email, Password, Purpose, User
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.ids import uuid7


async def sign_up(
    db: AsyncSession, settings: Settings, *, name: str, email: str, password: str, browser: str, facts: RequestFacts
) -> None:
    """Claim an address: the link mailed to it makes the claim an account. Raises WeakPassword and TooManyPasswords.

    If somebody owns the address already, the claim is written all the same, so that the answer takes as long; its link is
    sent to nobody, the owner is told instead, and `retention.forget_claims` takes it away.
    """
    await require_good_password(settings, password, (name, email))
    hashed = await passwords.hash_password(password)
    is_owned = await queries.is_address_owned(db, email)
    user, claim = await add_person(db, name=name, email=email, hashed=hashed)
    await accept_terms(db, user, facts=facts)
    await _send_claim(db, settings, claim, browser, is_owned=is_owned)
    await record_by(db, "accounts.signed_up", user, facts)


async def send_verification_again(db: AsyncSession, settings: Settings, *, email: str, browser: str) -> None:
    """Mail a fresh link and code to the newest claim of an address, or the notice that it has an account. Silent if there is none.

    Without `browser` there is only a link.
    """
    claim, is_owned = await queries.find_claim(db, email)
    if claim is not None:
        await _send_claim(db, settings, claim, browser, is_owned=is_owned)


async def verify_email(db: AsyncSession, *, token: str, facts: RequestFacts) -> User:
    """Make a claim an account by its mailed link. Raises LinkDoesNotWork."""
    await lock_linked_address(db, Purpose.VERIFY, token)
    return await _make_real(db, await use_link(db, token, Purpose.VERIFY), facts)


async def verify_email_by_code(
    db: AsyncSession, settings: Settings, *, browser: str, digits: str, facts: RequestFacts
) -> User:
    """Make a claim an account by its mailed code. Raises CodeDoesNotWork, which is counted: let the transaction commit."""
    await lock_coded_addresses(db, Purpose.VERIFY, browser)
    email = await use_code(db, settings, Purpose.VERIFY, browser=browser, digits=digits)
    try:
        return await _make_real(db, email, facts)
    except LinkDoesNotWork:
        raise CodeDoesNotWork from None


async def prove_address(db: AsyncSession, email: Email, *, becomes_primary: bool = True) -> None:
    """Make an address its person's own, and forget everybody else who claimed it. Raises LinkDoesNotWork if one was faster.

    `address_locks` comes first. One that is to be the primary one presupposes that there is none yet. The others' passwords
    go with them: somebody may have signed up with this address before its owner did, hoping that the owner would one day
    make the account real.
    """
    try:
        async with db.begin_nested():
            email.verified_at = email.verified_at or clock.now()
            email.is_primary = becomes_primary
    except IntegrityError:
        raise LinkDoesNotWork from None
    rival, proved = aliased(Email), aliased(Email)
    claimants = select(rival.user_id).where(
        func.lower(rival.address) == email.address.lower(), rival.verified_at.is_(None), rival.user_id != email.user_id
    )
    has_proved_another = exists().where(proved.user_id == User.id, proved.verified_at.is_not(None))
    strangers = delete(User).where(User.id.in_(claimants), ~has_proved_another)
    await db.execute(strangers.execution_options(synchronize_session=False))
    others = delete(Email).where(
        func.lower(Email.address) == email.address.lower(), Email.verified_at.is_(None), Email.id != email.id
    )
    await db.execute(others.execution_options(synchronize_session=False))


async def add_person(db: AsyncSession, *, name: str, email: str, hashed: str) -> tuple[User, Email]:
    user = User(id=uuid7(), name=name)
    claim = Email(id=uuid7(), user_id=user.id, address=email)
    db.add(user)
    await db.flush()
    db.add_all([claim, Password(user_id=user.id, hash=hashed, changed_at=clock.now())])
    await db.flush()
    return user, claim


async def _make_real(db: AsyncSession, email: Email, facts: RequestFacts) -> User:
    await prove_address(db, email)
    await record_by(db, "accounts.email_verified", email.user, facts)
    return email.user


async def _send_claim(db: AsyncSession, settings: Settings, claim: Email, browser: str, *, is_owned: bool) -> None:
    code = new_code(settings, Purpose.VERIFY, browser) if browser else None
    token = await create_link(db, Purpose.VERIFY, claim.id, code=code)
    if is_owned:
        await emails.send_already_registered(db, settings, to=claim.address)
    else:
        await emails.send_verification(db, settings, to=claim.address, token=token, code=code.digits if code else "")

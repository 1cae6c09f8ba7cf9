"""Proving who somebody is by a second factor: whether what they brought is good, and what is written down about it.

Each returns what the session keeps as its method, or None. A refusal is noted in the audit trail, so callers let their
transaction commit.
"""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.actions import record, record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.language import N_
from app.two_factor import authenticator_app, emails, lost_access, queries, recovery_codes
from app.two_factor.ceremonies import PasskeyRefused, read_assertion, verify_assertion
from app.two_factor.models import Passkey

TOTP = "totp"
RECOVERY_CODE = "recovery_code"
PASSKEY = "passkey"
FACTORS = frozenset({TOTP, RECOVERY_CODE, PASSKEY})

WRONG_CODE = N_("This code is not right, or has been used already. Enter the newest one that your app shows.")
WRONG_RECOVERY_CODE = N_("This recovery code is not right, or has been used already.")


def factor_of(typed: str) -> str:
    """What kind of code somebody typed: six characters are from an app, everything else is a recovery code."""
    return TOTP if len(authenticator_app.normalized(typed)) == authenticator_app.DIGITS else RECOVERY_CODE


async def prove_by_app(
    db: AsyncSession, settings: Settings, user: User, *, code: str, facts: RequestFacts
) -> str | None:
    """Whether the code is the authenticator app's, and new."""
    factors = await queries.find_factors(db, user.id)
    if factors.app is not None and await authenticator_app.use_code(db, settings, factors.app, code):
        if factors.are_lost:
            await lost_access.cancel(db, settings, user, facts=facts)
        return TOTP
    await _note_refusal(db, user, TOTP, facts)
    return None


async def prove_by_recovery_code(
    db: AsyncSession, settings: Settings, user: User, *, code: str, facts: RequestFacts
) -> str | None:
    """Whether the code is one of the person's that is left. It is burned, and they are told by mail."""
    if not await recovery_codes.use_code(db, settings, user, code):
        await _note_refusal(db, user, RECOVERY_CODE, facts)
        return None
    factors = await queries.find_factors(db, user.id)
    left = factors.recovery_codes
    await record_by(db, "two_factor.recovery_code_used", user, facts, changes={"left": [left + 1, left]})
    await emails.send_recovery_code_used(db, settings, user, left=left)
    if factors.are_lost:
        await lost_access.cancel(db, settings, user, facts=facts)
    return RECOVERY_CODE


async def prove_by_passkey(
    db: AsyncSession, settings: Settings, user: User, *, answer: str, challenge: bytes | None, facts: RequestFacts
) -> str | None:
    """Whether one of the person's own passkeys signed the challenge."""
    try:
        passkey = await _claimed_passkey(db, answer, challenge)
        if passkey.user_id != user.id:
            raise PasskeyRefused
        await _use_passkey(db, settings, passkey, answer, challenge or b"", must_verify_person=False, facts=facts)
    except PasskeyRefused:
        await _note_refusal(db, user, PASSKEY, facts)
        return None
    return PASSKEY


async def person_of_passkey(
    db: AsyncSession, settings: Settings, *, answer: str, challenge: bytes | None, facts: RequestFacts
) -> User:
    """Whose passkey signed the challenge, their device having verified them: that alone lets a person in.

    Raises PasskeyRefused. The answer to a passkey that nobody has is the same as to a wrong signature.
    """
    passkey = None
    try:
        passkey = await _claimed_passkey(db, answer, challenge)
        # The passkey itself must say whose it is (WebAuthn section 7.2, step 6): nobody has named a person before.
        if read_assertion(answer).response.user_handle != passkey.user_id.bytes:
            raise PasskeyRefused
        await _use_passkey(db, settings, passkey, answer, challenge or b"", must_verify_person=True, facts=facts)
    except PasskeyRefused:
        await _note_refusal(db, passkey.user if passkey else None, PASSKEY, facts)
        raise
    return passkey.user


async def _claimed_passkey(db: AsyncSession, answer: str, challenge: bytes | None) -> Passkey:
    passkey = await queries.find_passkey(db, read_assertion(answer).raw_id)
    if passkey is None or challenge is None:
        raise PasskeyRefused
    return passkey


async def _use_passkey(
    db: AsyncSession,
    settings: Settings,
    passkey: Passkey,
    answer: str,
    challenge: bytes,
    *,
    must_verify_person: bool,
    facts: RequestFacts,
) -> None:
    verified = verify_assertion(settings, passkey, answer, challenge, must_verify_person=must_verify_person)
    if not await _count_on(db, passkey, verified.new_sign_count, is_backed_up=verified.credential_backed_up):
        await _note_going_back(db, passkey, verified.new_sign_count, facts)
        raise PasskeyRefused
    await lost_access.cancel(db, settings, passkey.user, facts=facts)


async def _count_on(db: AsyncSession, passkey: Passkey, count: int, *, is_backed_up: bool) -> bool:
    """Note a use, if the authenticator's counter went on. One that does not count always says nought."""
    goes_on = Passkey.sign_count < count if count else Passkey.sign_count == 0
    statement = (
        update(Passkey)
        .where(Passkey.id == passkey.id, goes_on)
        .values(sign_count=count, backed_up=is_backed_up, last_used_at=clock.now())
        .returning(Passkey.id)
    )
    return await db.scalar(statement.execution_options(synchronize_session=False)) is not None


async def _note_going_back(db: AsyncSession, passkey: Passkey, count: int, facts: RequestFacts) -> None:
    """A counter that does not rise means that somebody may have copied the authenticator (WebAuthn section 6.1.1)."""
    await record(
        db,
        "two_factor.passkey_counter_went_back",
        actor_id=None,
        target_type="user",
        target_id=passkey.user_id,
        target_label=passkey.name,
        changes={"sign_count": [passkey.sign_count, count]},
        request=facts,
    )


async def _note_refusal(db: AsyncSession, user: User | None, factor: str, facts: RequestFacts) -> None:
    await record(
        db,
        "two_factor.proof_refused",
        actor_id=None,
        target_type="user" if user else None,
        target_id=user.id if user else None,
        target_label=user.name if user else None,
        changes={"factor": [None, factor]},
        request=facts,
    )

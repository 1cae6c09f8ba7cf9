"""Adding and removing second factors. The first one makes a password not enough; removing the last one takes that back."""

from datetime import datetime

from sqlalchemy import case, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import clock
from app.accounts.devices import forget_trust
from app.accounts.models import LoginChallenge, User
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings
from app.errors import Refusal
from app.ids import uuid7
from app.language import N_
from app.two_factor import authenticator_app, ceremonies, emails, queries, recovery_codes
from app.two_factor.models import Passkey, Totp
from app.two_factor.passkey_names import suggested_name

MOST_PASSKEYS = 20


class WrongCode(Refusal):
    """A code was mistyped, is too old, or has been used."""

    def __init__(self) -> None:
        super().__init__(
            N_("This code is not right, or has been used already. Enter the newest one that your app shows.")
        )


class AppAlreadySetUp(Refusal):
    """The person has an authenticator app; to move to another one, this one is removed first."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("You have an authenticator app already. Remove it first to set up another one."))


class SetUpTookTooLong(Refusal):
    """There is no secret that waits for its first code."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Setting up took too long, so we threw the key away. Begin again."))


class PasskeyNameTaken(Refusal):
    """The person calls another passkey by this name."""

    def __init__(self) -> None:
        super().__init__(N_("Another of your passkeys has this name."))


class PasskeyAlreadyAdded(Refusal):
    """This authenticator has a passkey here, for this person or for somebody else."""

    def __init__(self) -> None:
        super().__init__(N_("This passkey is in use already."))


class TooManyPasskeys(Refusal):
    """Nobody needs so many, and each is one more way in."""

    def __init__(self) -> None:
        super().__init__(N_("You have 20 passkeys, which is the most there can be. Remove one that you do not use."))


class NoSecondFactor(Refusal):
    """Recovery codes stand in for a second factor, and there is none."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("Set up an authenticator app or add a passkey first."))


async def begin_app(db: AsyncSession, settings: Settings, user: User) -> None:
    """Make a secret for an authenticator app; it is no factor before `confirm_app`. Raises AppAlreadySetUp."""
    if not await authenticator_app.begin(db, settings, user):
        raise AppAlreadySetUp


async def confirm_app(db: AsyncSession, settings: Settings, user: User, *, code: str, facts: RequestFacts) -> list[str]:
    """Make the app a factor by a first code from it; returns recovery codes to show if it is the first factor.

    Raises SetUpTookTooLong and WrongCode.
    """
    await _lock(db, user)
    totp = (await queries.find_factors(db, user.id)).totp
    if totp is None or not authenticator_app.is_waiting(totp):
        raise SetUpTookTooLong
    if not await authenticator_app.use_code(db, settings, totp, code):
        raise WrongCode
    await db.execute(update(Totp).where(Totp.id == totp.id).values(confirmed_at=clock.now()))
    await _note(db, "two_factor.app_added", user, facts)
    return await _after_adding(db, settings, user, kind="app", facts=facts)


async def remove_app(db: AsyncSession, settings: Settings, user: User, *, facts: RequestFacts) -> None:
    """Take the authenticator app away."""
    await _lock(db, user)
    if await db.scalar(delete(Totp).where(Totp.user_id == user.id).returning(Totp.id)) is not None:
        await _note(db, "two_factor.app_removed", user, facts)
        await _after_removing(db, settings, user, kind="app", facts=facts)


async def add_passkey(
    db: AsyncSession,
    settings: Settings,
    user: User,
    *,
    answer: str,
    challenge: bytes | None,
    name: str,
    facts: RequestFacts,
) -> list[str]:
    """Keep a passkey that the person's browser made; returns recovery codes to show if it is the first factor.

    Without a name it is called after its authenticator. Raises PasskeyRefused, PasskeyNameTaken, PasskeyAlreadyAdded and
    TooManyPasskeys.
    """
    if challenge is None:
        raise ceremonies.PasskeyRefused
    made = ceremonies.verify_registration(settings, answer, challenge)
    await _lock(db, user)
    taken = [passkey.name for passkey in await queries.list_passkeys(db, user.id)]
    if len(taken) >= MOST_PASSKEYS:
        raise TooManyPasskeys
    if name.lower() in (other.lower() for other in taken):
        raise PasskeyNameTaken
    passkey = Passkey(
        id=uuid7(),
        user_id=user.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=ceremonies.transports_of(answer),
        aaguid=made.aaguid,
        name=name or suggested_name(made.aaguid, taken),
        backed_up=made.credential_backed_up,
    )
    await _insert(db, passkey)
    await _note(db, "two_factor.passkey_added", user, facts, passkey)
    await emails.send_passkey_added(db, settings, user, passkey_name=passkey.name)
    return await _after_adding(db, settings, user, kind="passkey", facts=facts)


async def rename_passkey(db: AsyncSession, user: User, passkey: Passkey, *, name: str, facts: RequestFacts) -> None:
    """Call a passkey something else. Raises PasskeyNameTaken."""
    before = passkey.name
    try:
        async with db.begin_nested():
            await db.execute(update(Passkey).where(Passkey.id == passkey.id).values(name=name))
    except IntegrityError:
        raise PasskeyNameTaken from None
    if name != before:
        await _note(db, "two_factor.passkey_renamed", user, facts, passkey, changes={"name": [before, name]})


async def remove_passkey(
    db: AsyncSession, settings: Settings, user: User, passkey: Passkey, *, facts: RequestFacts
) -> None:
    """Take a passkey away: it lets nobody in any more."""
    await _lock(db, user)
    if await db.scalar(delete(Passkey).where(Passkey.id == passkey.id).returning(Passkey.id)) is not None:
        await _note(db, "two_factor.passkey_removed", user, facts, passkey)
        await emails.send_passkey_removed(db, settings, user, passkey_name=passkey.name)
        await _after_removing(db, settings, user, kind="passkey", facts=facts)


async def replace_recovery_codes(db: AsyncSession, settings: Settings, user: User, *, facts: RequestFacts) -> list[str]:
    """Make ten new recovery codes, which end the old ones. Raises NoSecondFactor."""
    await _lock(db, user)
    if (await queries.find_factors(db, user.id)).count == 0:
        raise NoSecondFactor
    codes = await recovery_codes.replace_codes(db, settings, user)
    await _note(db, "two_factor.recovery_codes_replaced", user, facts)
    await emails.send_recovery_codes_replaced(db, settings, user)
    return codes


async def remove_factors(db: AsyncSession, user: User, *, since: datetime | None = None, facts: RequestFacts) -> None:
    """Take factors and recovery codes of a person away, all or those made since a time, whoever demands a second factor.

    What demands one stays closed until there is one again.
    """
    await _lock(db, user)
    was_on = user.second_factor_at is not None
    removed = 0
    for factor in (Totp, Passkey):
        statement = delete(factor).where(factor.user_id == user.id)
        meant = statement if since is None else statement.where(factor.created_at >= since)
        removed += len((await db.scalars(meant.returning(factor.id))).all())
    await recovery_codes.burn_codes(db, user, since=since)
    await _refresh(db, user)
    if removed:
        await _note(db, "two_factor.factors_removed", user, facts, changes={"count": [removed, 0]})
    if was_on and user.second_factor_at is None:
        await _note(db, "two_factor.turned_off", user, facts)


async def _after_adding(
    db: AsyncSession, settings: Settings, user: User, *, kind: str, facts: RequestFacts
) -> list[str]:
    is_first = user.second_factor_at is None
    await _refresh(db, user)
    if kind == "app" or is_first:
        await emails.send_second_factor_on(db, settings, user, kind=kind)
    if not is_first:
        return []
    await _note(db, "two_factor.turned_on", user, facts)
    return await recovery_codes.replace_codes(db, settings, user)


async def _after_removing(db: AsyncSession, settings: Settings, user: User, *, kind: str, facts: RequestFacts) -> None:
    await _refresh(db, user)
    is_off = user.second_factor_at is None
    if is_off:
        await recovery_codes.burn_codes(db, user)
        await _note(db, "two_factor.turned_off", user, facts)
    if kind == "app" or is_off:
        await emails.send_second_factor_off(db, settings, user, kind=kind, is_last=is_off)


async def _lock(db: AsyncSession, user: User) -> None:
    """Have changes to one person's factors wait for each other: two that each remove "not the last" would remove both."""
    since = await db.scalar(select(User.second_factor_at).where(User.id == user.id).with_for_update())
    set_committed_value(user, "second_factor_at", since)


async def _refresh(db: AsyncSession, user: User) -> None:
    """Say on the person's row whether a password is enough, and end what was proved under other rules.

    Browsers that stood for the second factor do so no longer, and log-ins that wait for one begin anew.
    """
    has_app = exists().where(Totp.user_id == User.id, Totp.confirmed_at.is_not(None))
    has_any = or_(has_app, exists().where(Passkey.user_id == User.id))
    since = case((has_any, func.coalesce(User.second_factor_at, clock.now())), else_=None)
    statement = update(User).where(User.id == user.id).values(second_factor_at=since).returning(User.second_factor_at)
    since_now = await db.scalar(statement.execution_options(synchronize_session=False))
    set_committed_value(user, "second_factor_at", since_now)
    await forget_trust(db, user)
    await db.execute(delete(LoginChallenge).where(LoginChallenge.user_id == user.id))


async def _insert(db: AsyncSession, passkey: Passkey) -> None:
    try:
        async with db.begin_nested():
            db.add(passkey)
    except IntegrityError:
        raise PasskeyAlreadyAdded from None


async def _note(
    db: AsyncSession,
    action: str,
    user: User,
    facts: RequestFacts,
    passkey: Passkey | None = None,
    changes: dict[str, object] | None = None,
) -> None:
    target = ("passkey", passkey.id, passkey.name) if passkey else None
    await record_by(db, action, user, facts, target=target, changes=changes)

"""Letting somebody in who proved who they are: one gate for every way of logging in, so that all follow the same rules."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts import devices, emails, last_method, pending, queries
from app.accounts.actions import note_confirmation, note_log_in, renew_session, start_session
from app.accounts.challenges import begin_challenge, use_challenge
from app.accounts.models import LoginChallenge, Session, User
from app.accounts.redirects import log_in_path
from app.accounts.revival import revive
from app.accounts.sessions import new_token, set_session_cookie
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import Settings, current_settings
from app.database import Db
from app.pages import path_of, see_path
from core.requests import Request
from core.responses import Response

# A passkey whose owner the device verified is two factors at once: the thing, and the finger or PIN.
TWO_FACTORS_IN_ONE = frozenset({"passkey"})
# What stands for the second factor on a device that its owner trusts.
TRUSTED_DEVICE = "trusted_device"


async def enter(
    request: Request, db: Db, user: User, *, method: str, next_path: str = "", is_remembered: bool = True
) -> Response:
    """Answer to a first proof ("password", "link", "passkey", "google"): a session, or the question for a second factor."""
    if user.second_factor_at is None or method in TWO_FACTORS_IN_ONE:
        return await _let_in(request, db, user, [method], next_path, is_remembered=is_remembered)
    if await _is_trusted(request, db, user):
        return await _let_in(request, db, user, [method, TRUSTED_DEVICE], next_path, is_remembered=is_remembered)
    token = await begin_challenge(db, user, method=method, next_path=next_path, is_remembered=is_remembered)
    pending.forget_everything(request)
    pending.remember_challenge(request, token)
    return see_path("/log-in/two-factor")


async def finish_challenge(
    request: Request, db: Db, challenge: LoginChallenge, *, method: str, trust_device: bool = False
) -> Response | None:
    """Answer to a second proof ("totp", "recovery_code", "passkey"): a session; None if another request was faster.

    With `trust_device` this browser stands for the second factor for the next `TRUSTED_DEVICE_DAYS`.
    """
    if not await use_challenge(db, challenge):
        return None
    return await _let_in(
        request,
        db,
        challenge.user,
        [challenge.method, method],
        challenge.next_path,
        is_remembered=challenge.is_remembered,
        trust_device=trust_device,
    )


async def confirm(request: Request, db: Db, session: Session, *, method: str, next_path: str = "") -> Response:
    """Answer to a fresh proof by somebody who is logged in: what asks for a recent one opens, under a new token.

    The session may have ended while the proof was judged; then the way leads over the log-in page.
    """
    settings: Settings = current_settings(request)
    path = next_path or path_of(request, "organizations.home")
    token = await renew_session(db, session, method=method)
    if token is None:
        path = log_in_path(path_of(request, "accounts.log_in"), path)
        return see_path(path)
    await note_confirmation(db, session.user, method=method, facts=RequestFacts.of(request))
    response = see_path(path)
    set_session_cookie(response, token, settings, is_remembered=session.is_remembered)
    return response


async def _let_in(
    request: Request,
    db: Db,
    user: User,
    methods: Sequence[str],
    next_path: str,
    *,
    is_remembered: bool,
    trust_device: bool = False,
) -> Response:
    settings: Settings = current_settings(request)
    facts = RequestFacts.of(request)
    if user.status == "deleting":
        await revive(db, settings, user, facts=facts)
    token = await start_session(
        db,
        user,
        methods=list(methods),
        facts=facts,
        is_remembered=is_remembered,
        lifetimes=settings.sessions,
    )
    await note_log_in(db, user, methods=list(methods), facts=facts)
    device = await _note_device(request, db, user, settings, trust_device=trust_device)
    pending.forget_everything(request)
    path = next_path or path_of(request, "organizations.home")
    response = see_path(path)
    set_session_cookie(response, token, settings, is_remembered=is_remembered)
    devices.set_device_cookie(response, device, settings)
    last_method.remember_method(response, methods[0], settings)
    return response


async def _is_trusted(request: Request, db: AsyncSession, user: User) -> bool:
    settings: Settings = current_settings(request)
    token = devices.device_token(request, settings)
    return bool(token and settings.sessions.trusted) and await devices.is_trusted(
        db, user, devices.hash_device(token, settings)
    )


async def _note_device(
    request: Request, db: AsyncSession, user: User, settings: Settings, *, trust_device: bool
) -> str:
    """Recognize this browser from now on, and tell its owner if it is a new one; returns the token that it holds."""
    facts, held = RequestFacts.of(request), devices.device_token(request, settings)
    token = new_token() if trust_device or not held else held
    token_hash = devices.hash_device(token, settings)
    if held and token != held:
        await devices.replace_token(db, user, devices.hash_device(held, settings), token_hash)
    until = clock.now() + settings.sessions.trusted if trust_device else None
    sighting = await devices.note_device(db, user, token_hash, facts=facts, trusted_until=until)
    if sighting.is_new and not sighting.is_first:
        await record_by(db, "accounts.new_device", user, facts)
        address = await queries.get_primary_address(db, user.id)
        await emails.send_new_device(db, settings, user, to=address, facts=facts)
    return token

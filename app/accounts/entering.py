"""Letting somebody in who proved who they are: one gate for every way of logging in, so that all follow the same rules."""

from app.accounts import pending
from app.accounts.actions import note_log_in, start_session
from app.accounts.challenges import begin_challenge, use_challenge
from app.accounts.models import LoginChallenge, User
from app.accounts.sessions import set_session_cookie
from app.audit.models import RequestFacts
from app.config import Settings, current_settings
from app.database import Db
from core.requests import Request
from core.responses import RedirectResponse, Response

# A passkey whose owner the device verified is two factors at once: the thing, and the finger or PIN.
TWO_FACTORS_IN_ONE = frozenset({"passkey"})
NEVER_STORED = {"cache-control": "no-store"}


async def enter(
    request: Request, db: Db, user: User, *, method: str, next_path: str = "", is_remembered: bool = True
) -> Response:
    """Answer to a first proof ("password", "link", "passkey", "google"): a session, or the question for a second factor."""
    if user.second_factor_at is None or method in TWO_FACTORS_IN_ONE:
        return await _let_in(request, db, user, [method], next_path, is_remembered=is_remembered)
    token = await begin_challenge(db, user, method=method, next_path=next_path, is_remembered=is_remembered)
    pending.forget_everything(request)
    pending.remember_challenge(request, token)
    return RedirectResponse("/log-in/two-factor", status_code=303, headers=NEVER_STORED)


async def finish_challenge(request: Request, db: Db, challenge: LoginChallenge, *, method: str) -> Response | None:
    """Answer to a second proof ("totp", "recovery_code", "passkey"): a session; None if another request was faster."""
    if not await use_challenge(db, challenge):
        return None
    methods = [challenge.method, method]
    return await _let_in(
        request, db, challenge.user, methods, challenge.next_path, is_remembered=challenge.is_remembered
    )


async def _let_in(
    request: Request, db: Db, user: User, methods: list[str], next_path: str, *, is_remembered: bool
) -> Response:
    settings: Settings = current_settings(request)
    facts = RequestFacts.of(request)
    token = await start_session(db, user, methods=methods, facts=facts, is_remembered=is_remembered)
    await note_log_in(db, user, methods=methods, facts=facts)
    pending.forget_everything(request)
    path = next_path or str(request.app.url_path_for("organizations.home"))
    response = RedirectResponse(path, status_code=303, headers=NEVER_STORED)
    set_session_cookie(response, token, settings, is_remembered=is_remembered)
    return response

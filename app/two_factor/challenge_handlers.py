"""/log-in/two-factor: the question to somebody who gave a first proof, and logging in by a passkey alone."""

from typing import Annotated

from app.accounts import challenges, pending
from app.accounts.dependencies import SignedOut
from app.accounts.entering import enter, finish_challenge
from app.accounts.limits import limit
from app.accounts.models import LoginChallenge
from app.accounts.redirects import log_in_path
from app.audit.models import RequestFacts
from app.config import current_settings
from app.database import Db
from app.language import gettext as _
from app.pages import NEVER_STORED, path_of, see, see_path
from app.templates import flash, render
from app.two_factor import ceremonies, proofs, queries
from app.two_factor.forms import ChallengeForm, CodeForm, PasskeyLogInForm, ProofForm
from app.two_factor.limits import PASSKEY_LOG_IN, PASSKEY_OPTIONS
from app.two_factor.passkey_challenges import new_challenge, take_challenge
from app.two_factor.proving import prove
from app.two_factor.relying_party import RelyingParty
from core.exceptions import HTTPException
from core.params import Depends, Submitted
from core.requests import Request
from core.responses import Response

JSON = "application/json"
LOG_IN = "log in"


async def current_challenge(request: Request, db: Db) -> LoginChallenge:
    """The half-finished log-in of this browser; without one the way leads to the log-in page."""
    token = pending.pending_challenge(request)
    challenge = await challenges.find_challenge(db, token) if token else None
    if challenge is not None:
        return challenge
    if token:
        pending.forget_challenge(request)
        flash(request, _("That took too long. Log in again."), "info")
    path = path_of(request, "accounts.log_in")
    raise HTTPException(303, headers={"location": path, **NEVER_STORED})


CurrentChallenge = Annotated[LoginChallenge, Depends(current_challenge)]


async def challenge(request: Request, waiting: CurrentChallenge, db: Db) -> Response:
    """Ask for a second factor."""
    return await _show_challenge(request, db, waiting, Submitted.blank(ChallengeForm))


async def answer_challenge(
    request: Request, waiting: CurrentChallenge, db: Db, form: Submitted[ChallengeForm]
) -> Response:
    """Finish logging in by a code from an app or by a passkey."""
    method = await prove(request, db, waiting.user, form, purpose=f"second {waiting.id}")
    if method is None:
        return await _show_challenge(request, db, waiting, form)
    return await _finish(request, db, waiting, method, trust_device=form.data.trust)


async def challenge_options(request: Request, waiting: CurrentChallenge, db: Db) -> Response:
    """Tell the browser's script which passkeys of the person may answer, and what they are to sign."""
    existing = await queries.list_passkeys(db, waiting.user_id)
    made = new_challenge(request, f"second {waiting.id}")
    options = ceremonies.assertion_options(current_settings(request), made, existing)
    return Response(options, media_type=JSON, headers=NEVER_STORED)


async def recovery_code(request: Request, waiting: CurrentChallenge) -> Response:
    """Ask for a recovery code."""
    return render(request, "two_factor/recovery_code.html", form=Submitted.blank(CodeForm), waiting=waiting)


async def answer_with_recovery_code(
    request: Request, waiting: CurrentChallenge, db: Db, form: Submitted[ProofForm]
) -> Response:
    """Finish logging in by a recovery code."""
    method = await prove(request, db, waiting.user, form, purpose=f"second {waiting.id}")
    if method is None:
        return render(request, "two_factor/recovery_code.html", form=form, waiting=waiting)
    return await _finish(request, db, waiting, method)


async def cancel_challenge(request: Request, waiting: CurrentChallenge, db: Db) -> Response:
    """Forget the half-finished log-in, here and in the database."""
    await challenges.use_challenge(db, waiting)
    pending.forget_everything(request)
    flash(request, _("You are not logged in."), "info")
    return see(request, "accounts.log_in")


async def passkey_log_in_options(request: Request, _stranger: SignedOut) -> Response:
    """Tell the browser's script what a passkey is to sign: the same for everybody, so it tells nothing of anybody."""
    await limit(request, PASSKEY_OPTIONS)
    made = new_challenge(request, LOG_IN)
    options = ceremonies.assertion_options(current_settings(request), made, must_verify_person=True)
    return Response(options, media_type=JSON, headers=NEVER_STORED)


async def log_in_with_passkey(
    request: Request, _stranger: SignedOut, db: Db, form: Submitted[PasskeyLogInForm]
) -> Response:
    """Let somebody in whose device verified them and signed with their passkey."""
    await limit(request, PASSKEY_LOG_IN)
    if form.is_valid:
        try:
            user = await proofs.person_of_passkey(
                db,
                current_settings(request),
                answer=form.data.credential,
                challenge=await take_challenge(request, db, LOG_IN),
                facts=RequestFacts.of(request),
            )
        except ceremonies.PasskeyRefused:
            pass
        else:
            return await enter(request, db, user, method=proofs.PASSKEY, next_path=form.data.next)
    flash(request, _("This passkey did not work here. Try again, or log in another way."), "danger")
    path = log_in_path(path_of(request, "accounts.log_in"), str(form.values.get("next") or ""))
    return see_path(path)


async def _finish(
    request: Request, db: Db, waiting: LoginChallenge, method: str, *, trust_device: bool = False
) -> Response:
    response = await finish_challenge(request, db, waiting, method=method, trust_device=trust_device)
    return response or see(request, "organizations.home")


async def _show_challenge(
    request: Request, db: Db, waiting: LoginChallenge, form: Submitted[ChallengeForm]
) -> Response:
    settings = current_settings(request)
    return render(
        request,
        "two_factor/challenge.html",
        form=form,
        factors=await queries.find_factors(db, waiting.user_id),
        waiting=waiting,
        party=RelyingParty.of(settings),
        trusted_days=settings.sessions.trusted.days,
    )

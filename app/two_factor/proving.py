"""Forms by which somebody proves a second factor: when logging in, before something dangerous, to remove a factor."""

from typing import TypeVar

from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import current_settings
from app.database import Db
from app.language import gettext as _
from app.two_factor import proofs
from app.two_factor.forms import ProofForm
from app.two_factor.limits import limit_proof
from app.two_factor.passkey_challenges import take_challenge
from core.params import Submitted
from core.requests import Request

ProofFormT = TypeVar("ProofFormT", bound=ProofForm)

WRONG = {proofs.TOTP: proofs.WRONG_CODE, proofs.RECOVERY_CODE: proofs.WRONG_RECOVERY_CODE}


async def prove(request: Request, db: Db, user: User, form: Submitted[ProofFormT], *, purpose: str) -> str | None:
    """What the person proved ("totp", "recovery_code", "passkey"), or None, and the form says why. Raises TooManyRequests.

    `purpose` is that of the challenge which a passkey signed.
    """
    if not form.is_valid:
        return None
    if form.data.credential:
        return await _prove_passkey(request, db, user, form, purpose=purpose)
    return await _prove_code(request, db, user, form)


async def _prove_passkey(
    request: Request, db: Db, user: User, form: Submitted[ProofFormT], *, purpose: str
) -> str | None:
    await limit_proof(request, proofs.PASSKEY, user.id)
    method = await proofs.prove_by_passkey(
        db,
        current_settings(request),
        user,
        answer=form.data.credential,
        challenge=await take_challenge(request, db, purpose),
        facts=RequestFacts.of(request),
    )
    if method is None:
        form.add_error("", _("This passkey did not work here. Try again, or choose another way."))
    return method


async def _prove_code(request: Request, db: Db, user: User, form: Submitted[ProofFormT]) -> str | None:
    code, settings, facts = form.data.code, current_settings(request), RequestFacts.of(request)
    if not code:
        form.add_error("code", _("Enter a code."))
        return None
    factor = proofs.factor_of(code)
    await limit_proof(request, factor, user.id)
    if factor == proofs.TOTP:
        method = await proofs.prove_by_app(db, settings, user, code=code, facts=facts)
    else:
        method = await proofs.prove_by_recovery_code(db, settings, user, code=code, facts=facts)
    if method is None:
        form.add_error("code", _(WRONG[factor]))
    return method

"""By what a request acts: what handlers of the API may depend on to serve browsers and programs alike."""

from typing import Annotated

from app.accounts.dependencies import OptionalSession, current_session
from app.audit.models import RequestFacts
from app.database import Db
from app.errors import Refusal
from app.language import N_
from app.policy import Guard
from app.tokens import actions, queries
from app.tokens.models import Credential, PersonalToken
from app.tokens.spelling import is_well_formed
from core.params import Depends
from core.requests import Request


class InvalidToken(Refusal):
    """No such token, or not any more: revoked, expired, or its person disabled. We do not say which."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__(N_("The token is not valid."), {"www-authenticate": 'Bearer error="invalid_token"'})


class InsufficientScope(Refusal):
    """The token does not have the scope that this needs (RFC 6750 section 3.1)."""

    status_code = 403

    def __init__(self, needed: str | None) -> None:
        challenge = 'Bearer error="insufficient_scope"' + (f', scope="{needed}"' if needed else "")
        super().__init__(N_("The token's scopes do not allow this."), {"www-authenticate": challenge})


async def optional_token(request: Request, db: Db) -> PersonalToken | None:
    """The token that came with the request, or None. Without one this costs no statement. Raises InvalidToken."""
    secret = request.user.bearer_token
    if secret is None:
        return None
    token = await queries.find_token(db, secret) if is_well_formed(secret) else None
    if token is None:
        raise InvalidToken
    await actions.note_token_used(db, token, ip=RequestFacts.of(request).ip)
    request.state.token, request.state.user = token, token.user
    return token


OptionalToken = Annotated[PersonalToken | None, Depends(optional_token)]


async def current_credential(request: Request, session: OptionalSession, token: OptionalToken, db: Db) -> Credential:
    """For whom the request acts. Without a session or a token people are asked to log in, and programs get a 401."""
    if token is not None:
        return Credential(token.user, token=token)
    live = await current_session(request, session, db)
    return Credential(live.user, session=live)


CurrentCredential = Annotated[Credential, Guard(current_credential, access="signed in, or a token")]


def require_scope(credential: Credential, needed: str | None) -> None:
    """Raises InsufficientScope for a token without the scope, or where none would do; a session has them all."""
    if not credential.has_scope(needed):
        raise InsufficientScope(needed)


class Holding(Guard):
    """Lets sessions pass, and tokens with a scope: `who: Annotated[Credential, Holding("account:read")]`."""

    def __init__(self, scope: str) -> None:
        async def holding_credential(credential: CurrentCredential) -> Credential:
            require_scope(credential, scope)
            return credential

        super().__init__(holding_credential, access=f"signed in, or a token with {scope}", scope=scope)

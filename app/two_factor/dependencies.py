"""Who may change second factors: somebody who proved lately who they are, and at some time with a factor that they have."""

from typing import Annotated

from app.accounts.dependencies import NotConfirmedLately, confirmed_session
from app.accounts.models import Session
from app.accounts.redirects import log_in_path, requested_path
from app.pages import path_of
from app.policy import Guard
from app.two_factor.proofs import FACTORS
from core.exceptions import HTTPException
from core.params import Depends
from core.problems import prefers_html
from core.requests import Request


async def factor_session(request: Request, session: Annotated[Session, Depends(confirmed_session)]) -> Session:
    """The session of somebody whose password alone would not do.

    Otherwise a browser that was trusted, and a password, would be enough to make new recovery codes or add a passkey, and
    with those to take every other factor away.
    """
    if session.user.second_factor_at is None or not FACTORS.isdisjoint(session.authentication_methods):
        return session
    if not prefers_html(request.headers.get("accept", "")):
        raise NotConfirmedLately
    path = path_of(request, "two_factor.confirm")
    raise HTTPException(303, headers={"location": log_in_path(path, requested_path(request))})


FactorSession = Annotated[
    Session, Guard(factor_session, access="signed in, confirmed lately, with a second factor where there is one")
]

"""Who is asking: what handlers may depend on to know the person behind a request."""

from typing import Annotated

from app import clock, features
from app.accounts import actions, queries
from app.accounts.models import Session, User
from app.accounts.redirects import log_in_path, requested_path
from app.accounts.sessions import CONFIRMED_FOR
from app.config import current_settings
from app.database import Db
from app.errors import Refusal, is_for_programs
from app.language import N_, speak
from app.pages import path_of
from app.policy import Guard
from app.time_zones import live_in
from core.exceptions import HTTPException
from core.params import Depends
from core.problems import prefers_html
from core.requests import Request


class NotSignedIn(Refusal):
    """The request needs a person, and no live session came with it."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__(N_("Log in to continue."), {"www-authenticate": "Bearer"})


class NotConfirmedLately(Refusal):
    """What is asked for is dangerous, and the last proof of who asks is too old for it."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("Confirm that it is you, then try again."))


async def optional_session(request: Request, db: Db) -> Session | None:
    """The request's live session, or None. Without a session cookie this costs no statement."""
    token = request.user.session_token
    session = await queries.find_session(db, token) if token else None
    if session is not None:
        await actions.note_session_seen(db, session, current_settings(request).sessions)
        request.state.session, request.state.user = session, session.user
        _serve_as_liked(session.user)
    return session


def _serve_as_liked(user: User) -> None:
    """Speak the person's language and show times of their zone; where they chose none, the browser's language stays."""
    if user.locale:
        speak(user.locale)
    live_in(user.time_zone)


OptionalSession = Annotated[Session | None, Depends(optional_session)]


async def current_session(request: Request, session: OptionalSession, db: Db) -> Session:
    """The request's live session. People without one are asked to log in and led back; programs get a 401."""
    if session is not None:
        if is_page(request):
            for fill in features.shell_parts():
                await fill(request, db, session.user_id)
        return session
    if is_page(request):
        path = path_of(request, "accounts.log_in")
        raise HTTPException(303, headers={"location": log_in_path(path, requested_path(request))})
    raise NotSignedIn


async def confirmed_session(request: Request, session: Annotated[Session, Depends(current_session)]) -> Session:
    """The live session of somebody who proved lately who they are; others are asked to prove it again and led back."""
    if clock.now() - session.authenticated_at < CONFIRMED_FOR:
        return session
    if is_page(request):
        path = path_of(request, "identity.confirm_identity")
        raise HTTPException(303, headers={"location": log_in_path(path, requested_path(request))})
    raise NotConfirmedLately


async def current_user(session: Annotated[Session, Depends(current_session)]) -> User:
    return session.user


async def optional_user(session: OptionalSession) -> User | None:
    return session.user if session else None


async def signed_out(request: Request, session: OptionalSession) -> None:
    """Let only strangers pass: who is logged in already has no use for entry pages and is led to their dashboard."""
    if session is not None:
        raise HTTPException(303, headers={"location": path_of(request, "organizations.home")})


CurrentSession = Annotated[Session, Guard(current_session, access="signed in")]
ConfirmedSession = Annotated[Session, Guard(confirmed_session, access="signed in, confirmed lately")]
CurrentUser = Annotated[User, Guard(current_user, access="signed in")]
OptionalUser = Annotated[User | None, Depends(optional_user)]
SignedOut = Annotated[None, Depends(signed_out)]


def is_page(request: Request) -> bool:
    """Whether somebody looks at the answer in a browser, rather than a program or a script."""
    return not is_for_programs(request.scope["path"]) and prefers_html(request.headers.get("accept", ""))

"""The session cookie: the one thing that a browser keeps of being logged in.

The cookie holds 256 random bits; the database holds only their hash. Reading the cookie costs no statement and proves
nothing: `app.accounts.dependencies` looks the session up for the handlers that ask for a person.
"""

import hashlib
import secrets
from datetime import timedelta

from app.config import Settings
from core.authentication import AuthCredentials, AuthenticationBackend, BaseUser
from core.requests import HTTPConnection
from core.responses import Response

# How old the last proof of identity may be where something dangerous is asked for.
CONFIRMED_FOR = timedelta(minutes=15)

TOKEN_BYTES = 32
_TOKEN_LENGTH = 43  # 32 bytes in base64 without padding.
_TOKEN_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class Visitor(BaseUser):
    """Whoever sent the request, known by nothing but the cookie or, a program, the token that they hold."""

    def __init__(self, session_token: str | None, bearer_token: str | None = None) -> None:
        self.session_token = session_token
        self.bearer_token = bearer_token

    @property
    def is_authenticated(self) -> bool:
        """Always false: a cookie is a claim. The dependency `CurrentUser` proves it."""
        return False

    @property
    def display_name(self) -> str:
        return ""


class SessionCookieBackend(AuthenticationBackend):
    """Reads the session cookie for AuthenticationMiddleware, without the database."""

    def __init__(self, settings: Settings) -> None:
        self.cookie_name = cookie_name(settings)

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        value = conn.cookies.get(self.cookie_name, "")
        return AuthCredentials(), Visitor(value if is_token(value) else None)


def session_id(connection: HTTPConnection) -> str | None:
    """What the session's CSRF tokens are bound to; None for a visitor without a session cookie."""
    user = connection.scope.get("user")
    return user.session_token if isinstance(user, Visitor) else None


def new_token() -> str:
    """A fresh token of 256 random bits, for a cookie or a mailed link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """What the database keeps of a token. A plain hash suffices: 256 random bits cannot be guessed from it."""
    return hashlib.sha256(token.encode()).digest()


def cookie_name(settings: Settings) -> str:
    """`__Host-` (RFC 6265bis section 4.1.3.2) keeps other hosts of the domain from setting it; it needs https."""
    return "__Host-session" if settings.uses_https else "session"


def set_session_cookie(response: Response, token: str, settings: Settings, *, is_remembered: bool = True) -> None:
    """Give the browser its session, to keep until it is closed or, remembered, for as long as such a session may last at most.

    Either way the server decides whether the session is still live.
    """
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(settings.sessions.remembered.total_seconds()) if is_remembered else None,
        httponly=True,
        secure=settings.uses_https,
        samesite="lax",
    )


def delete_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session away from the browser."""
    response.delete_cookie(cookie_name(settings), httponly=True, secure=settings.uses_https, samesite="lax")


def is_token(value: str) -> bool:
    """Whether a cookie has the form of what `new_token` makes; asking the database about anything else would be idle."""
    return len(value) == _TOKEN_LENGTH and _TOKEN_ALPHABET.issuperset(value)

"""Refuses requests that another site made a visitor's browser send.

Two walls. First the browser's own word on where the request comes from: Sec-Fetch-Site (Fetch Metadata), else Origin
(RFC 6454); a form on another site cannot forge either. Second, for requests that carry a session, a token that only our
own pages know, because old browsers and odd proxies drop the headers.
"""

import hmac
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass

from core._headers import media_type_of
from core._urls import DEFAULT_PORTS, SCHEMES
from core._utils import is_among
from core.exceptions import HTTPException
from core.formparsers import FORM_TYPES
from core.middleware.exceptions import refuse
from core.requests import ClientDisconnect, HTTPConnection, Request
from core.types import ASGIApp, Receive, Scope, Send

CSRF_SCOPE_KEY = "core.csrf"
TOKEN_HEADER = "x-csrf-token"  # noqa: S105 - the name of a header
TOKEN_FIELD = "csrf_token"  # noqa: S105 - the name of a form field
NONCE_BYTES = 16

# Safe methods do not change state (RFC 9110 section 9.2.1; QUERY is safe by its definition).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
OWN_SITES = frozenset({"same-origin", "none"})

WRONG_SITE = "This request came from another site."
WRONG_TOKEN = "The form's security token is missing or out of date. Reload the page and try again."  # noqa: S105 - a text


def csrf_token(request: HTTPConnection) -> str:
    """Return a token for the request's session, to be sent as `X-CSRF-Token` or form field `csrf_token`.

    It is "" for anonymous visitors, and looks different each time (a random beginning, against BREACH), while all tokens of
    a session stay valid. Raises RuntimeError where CSRFMiddleware is not installed.
    """
    protection: CSRFMiddleware | None = request.scope.get(CSRF_SCOPE_KEY)
    if protection is None:
        raise RuntimeError("CSRFMiddleware must be installed to use csrf_token().")
    return protection.token_for(request)


async def require_csrf_token(request: Request) -> None:
    """Check the token of a request that `deferred` left to its handler. Raises HTTPException(403).

    The handler reads the form first, within limits of its own; otherwise it is read here.
    """
    await request.scope[CSRF_SCOPE_KEY].check_token(request)


@dataclass(eq=False, repr=False)
class CSRFMiddleware:
    """Answers 403, through the application's own error page, to unsafe requests that are not from our own pages.

    - `session_id` returns what identifies the browser's session, or None if cookies do not authenticate this request
      (anonymous, or an API client with a key); with a session a token is required in addition.
    - `trusted_origins` (`https://example.com`) may send requests too; those with a session still need the token.
    - `exempt` are paths, and prefixes of paths ending in "/", that are not checked, for example webhooks.
    - `deferred(connection)` says which requests have their form read by the handler, once it knows who asks and how much
      may come. Such a handler awaits `require_csrf_token(request)`; a token in the header is checked here all the same.

    A websocket handshake must be from our own origin, if it says where it comes from; it needs no token.

    Where the token comes in a form, the form is parsed here, within the limits of the application as a whole and before a
    route can raise them: a page with larger uploads sends the header. The handler's Request has the parsed form; an
    application that reads raw messages would find none left and needs the header too.
    """

    app: ASGIApp
    _: KW_ONLY
    secret_key: str
    session_id: Callable[[HTTPConnection], str | None]
    trusted_origins: Collection[str] = ()
    exempt: Sequence[str] = ()
    deferred: Callable[[HTTPConnection], bool] = lambda connection: False

    def __post_init__(self) -> None:
        self.trusted_origins = frozenset(_normalise_origin(origin) for origin in self.trusted_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope[CSRF_SCOPE_KEY] = self
            if scope.get("method") not in SAFE_METHODS and not is_among(scope["path"], self.exempt):
                await self._call_if_ours(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def token_for(self, connection: HTTPConnection) -> str:
        """Return a new token for the connection's session, "" without one."""
        session_id = self.session_id(connection)
        return "" if session_id is None else self._signed(secrets.token_urlsafe(NONCE_BYTES), session_id)

    async def _call_if_ours(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = Request(scope, receive) if scope["type"] == "http" else HTTPConnection(scope)
        try:
            await self._check(connection)
        except HTTPException as refusal:
            await refuse(refusal, scope, receive, send)
        except ClientDisconnect:
            # The client left while its form was read: nobody is there to be answered.
            return
        else:
            await self.app(scope, receive, send)
        finally:
            if isinstance(connection, Request):
                # The files of a form that was read here belong to nobody else if the handler does not ask for it.
                await connection.close()

    async def _check(self, connection: HTTPConnection) -> None:
        """Raises HTTPException(403), or what the form parser raises about a malformed form."""
        if not self._is_own_site(connection):
            raise HTTPException(403, WRONG_SITE)
        is_deferred = TOKEN_HEADER not in connection.headers and self.deferred(connection)
        if isinstance(connection, Request) and not is_deferred:
            await self.check_token(connection)

    async def check_token(self, request: Request) -> None:
        """Raises HTTPException(403) for a request with a session and without its token."""
        session_id = self.session_id(request)
        if session_id is not None and not self._is_valid(await _submitted_token(request), session_id):
            raise HTTPException(403, WRONG_TOKEN)

    def _is_own_site(self, connection: HTTPConnection) -> bool:
        origins = [_normalise_origin(origin) for origin in connection.headers.getlist("origin")]
        if origins and all(origin in self.trusted_origins for origin in origins):
            return True
        if sites := connection.headers.getlist("sec-fetch-site"):
            return OWN_SITES.issuperset(sites)
        return {_own_origin(connection)}.issuperset(origins)

    def _signed(self, nonce: str, session_id: str) -> str:
        text = f"csrf.{nonce}.{session_id}".encode("utf-8", "surrogatepass")
        return f"{nonce}.{hmac.digest(str(self.secret_key).encode(), text, 'sha256').hex()}"

    def _is_valid(self, token: str, session_id: str) -> bool:
        # A nonce ends at the first point, so that no part of it can pass for the beginning of a session's id.
        expected = self._signed(token.partition(".")[0], session_id)
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


async def _submitted_token(request: Request) -> str:
    token: str = request.headers.get(TOKEN_HEADER, "")
    if token or media_type_of(request.headers.get("content-type", "")) not in FORM_TYPES:
        return token
    field = (await request.form()).get(TOKEN_FIELD)
    return field if isinstance(field, str) else ""


def _own_origin(connection: HTTPConnection) -> str:
    scheme = SCHEMES["http", connection.scope.get("scheme") in ("https", "wss")]
    return _normalise_origin(f"{scheme}://{connection.headers.get('host', '')}")


def _normalise_origin(origin: str) -> str:
    origin = origin.lower().rstrip("/")
    return origin.removesuffix(f":{DEFAULT_PORTS.get(origin.partition('://')[0])}")

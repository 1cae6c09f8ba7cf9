"""Cross-origin resource sharing (WHATWG Fetch, section "CORS protocol")."""

import logging
import re
from collections.abc import Awaitable, Sequence

from core._headers import add_vary
from core.datastructures import Headers, MutableHeaders
from core.responses import PlainTextResponse, Response
from core.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

ALL_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")

# Headers that a page may always send (Fetch, "CORS-safelisted request-header").
SAFELISTED_HEADERS = {"Accept", "Accept-Language", "Content-Language", "Content-Type"}

REQUESTED = "Access-Control-Request-"
PREFLIGHT_VARY = f"Origin, {REQUESTED}Method, {REQUESTED}Headers, {REQUESTED}Private-Network"


class CORSMiddleware:
    """Lets pages of other origins read our responses; answers their preflight requests itself.

    `allow_origins`, `allow_methods` and `allow_headers` take `"*"` for all; `allow_origin_regex` must match the whole
    origin. `max_age` (seconds) is how long a browser may remember a preflight. `["*"]` together with credentials lets
    every site act as the visitor, and logs a warning.
    """

    def __init__(
        self,
        app: ASGIApp,
        allow_origins: Sequence[str] = (),
        allow_methods: Sequence[str] = ("GET",),
        allow_headers: Sequence[str] = (),
        allow_credentials: bool = False,
        allow_origin_regex: str | None = None,
        allow_private_network: bool = False,
        expose_headers: Sequence[str] = (),
        max_age: int = 600,
    ) -> None:
        self.app = app
        self.allow_origins = allow_origins
        self.allow_methods = ALL_METHODS if "*" in allow_methods else tuple(allow_methods)
        self.allow_all_origins = "*" in allow_origins
        self.allow_all_headers = "*" in allow_headers
        self.allow_credentials = allow_credentials
        self.allow_origin_regex = None if allow_origin_regex is None else re.compile(allow_origin_regex)
        self.allow_private_network = allow_private_network
        allowed_headers = sorted(SAFELISTED_HEADERS.union(allow_headers))
        self.allow_headers = frozenset(header.lower() for header in allowed_headers)
        self._echoes_origin = allow_credentials or not self.allow_all_origins
        credentials = {"Access-Control-Allow-Credentials": "true"} if allow_credentials else {}
        exposed = {"Access-Control-Expose-Headers": ", ".join(expose_headers)} if expose_headers else {}
        named = {} if self.allow_all_headers else {"Access-Control-Allow-Headers": ", ".join(allowed_headers)}
        self._simple_headers = {**credentials, **exposed}
        self._preflight_headers = {
            "Vary": PREFLIGHT_VARY,
            "Access-Control-Allow-Methods": ", ".join(self.allow_methods),
            "Access-Control-Max-Age": str(max_age),
            **credentials,
            **named,
        }
        if self.allow_all_origins and allow_credentials:
            logger.warning("CORSMiddleware lets every site read what is the visitor's alone: name origins.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        origin = origins[0].decode("latin-1") if origins else None
        if origin is not None and scope["method"] == "OPTIONS":
            headers = Headers(raw=scope["headers"])
            if "access-control-request-method" in headers:
                await self.preflight_response(headers)(scope, receive, send)
                return

        def send_shared(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                # On responses to other requests too: a cache must not give them to a page that sends an Origin.
                add_vary(message, b"Origin")
                if origin is not None:
                    MutableHeaders(raw=message["headers"]).update(self._simple_headers | self._naming(origin))
            return send(message)

        await self.app(scope, receive, send_shared)

    def is_allowed_origin(self, origin: str) -> bool:
        if self.allow_all_origins or origin in self.allow_origins:
            return True
        # Matching only the beginning would let https://example.com.evil.net pass.
        return self.allow_origin_regex is not None and self.allow_origin_regex.fullmatch(origin) is not None

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer 200, or 400 with what is not allowed."""
        requested = request_headers.get("access-control-request-headers")
        headers = self._preflight_headers | self._naming(request_headers["origin"])
        if self.allow_all_headers and requested is not None:
            headers["Access-Control-Allow-Headers"] = requested
        if self.allow_private_network and "access-control-request-private-network" in request_headers:
            headers["Access-Control-Allow-Private-Network"] = "true"
        if failures := self._preflight_failures(request_headers):
            return PlainTextResponse(f"Disallowed CORS {', '.join(failures)}", status_code=400, headers=headers)
        return PlainTextResponse("OK", headers=headers)

    def _preflight_failures(self, request_headers: Headers) -> list[str]:
        requested = request_headers.get("access-control-request-headers", "")
        names = [name.strip().lower() for name in requested.split(",") if name.strip()]
        wants_private_network = "access-control-request-private-network" in request_headers
        checks = {
            "origin": self.is_allowed_origin(request_headers["origin"]),
            "method": request_headers["access-control-request-method"] in self.allow_methods,
            "headers": self.allow_all_headers or self.allow_headers.issuperset(names),
            "private-network": self.allow_private_network or not wants_private_network,
        }
        return [name for name, passed in checks.items() if not passed]

    def _naming(self, origin: str) -> dict[str, str]:
        """Lets the pages of an origin that is allowed read the response."""
        if not self.is_allowed_origin(origin):
            return {}
        return {"Access-Control-Allow-Origin": origin if self._echoes_origin else "*"}

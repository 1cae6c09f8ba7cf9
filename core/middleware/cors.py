"""Cross-origin resource sharing (WHATWG Fetch, section "CORS protocol")."""

import logging
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

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


@dataclass(eq=False)
class CORSMiddleware:
    """Lets pages of other origins read our responses; answers their preflight requests itself.

    `allow_origins`, `allow_methods` and `allow_headers` take `"*"` for all; `allow_origin_regex` must match the whole
    origin. `max_age` (seconds) is how long a browser may remember a preflight. `["*"]` together with credentials lets
    every site act as the visitor, and logs a warning.
    """

    app: ASGIApp
    allow_origins: Sequence[str] = ()
    allow_methods: Sequence[str] = ("GET",)
    allow_headers: Sequence[str] = ()
    allow_credentials: bool = False
    allow_origin_regex: str | None = None
    allow_private_network: bool = False
    expose_headers: Sequence[str] = ()
    max_age: int = 600

    def __post_init__(self) -> None:
        self.allow_all_origins = "*" in self.allow_origins
        self.allow_all_headers = "*" in self.allow_headers
        self._methods = ALL_METHODS if "*" in self.allow_methods else self.allow_methods
        self._origin_pattern = self.allow_origin_regex and re.compile(self.allow_origin_regex)
        allowed_headers = sorted(SAFELISTED_HEADERS.union(self.allow_headers))
        self._header_names = frozenset(header.lower() for header in allowed_headers)
        credentials = {"Access-Control-Allow-Credentials": "true"} if self.allow_credentials else {}
        exposed = {"Access-Control-Expose-Headers": ", ".join(self.expose_headers)} if self.expose_headers else {}
        self._simple_headers = credentials | exposed
        named = {} if self.allow_all_headers else {"Access-Control-Allow-Headers": ", ".join(allowed_headers)}
        self._preflight_headers = {
            "Vary": PREFLIGHT_VARY,
            "Access-Control-Allow-Methods": ", ".join(self._methods),
            "Access-Control-Max-Age": str(self.max_age),
            **credentials,
            **named,
        }
        if self.allow_all_origins and self.allow_credentials:
            logger.warning("CORSMiddleware lets every site read what is the visitor's alone: name origins.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        origin = origins[0].decode("latin-1") if origins else None
        if origin is not None and scope["method"] == "OPTIONS":
            headers = Headers(raw=scope["headers"])
            if "access-control-request-method" in headers:
                return await self.preflight_response(headers)(scope, receive, send)

        def send_shared(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                # On responses to other requests too: a cache must not give them to a page that sends an Origin.
                add_vary(message, b"Origin")
                if origin is not None:
                    MutableHeaders(raw=message["headers"]).update(self._simple_headers | self._naming(origin))
            return send(message)

        return await self.app(scope, receive, send_shared)

    def is_allowed_origin(self, origin: str) -> bool:
        is_named = self.allow_all_origins or origin in self.allow_origins
        # Matching only the beginning would let https://example.com.evil.net pass.
        return is_named or bool(self._origin_pattern and self._origin_pattern.fullmatch(origin))

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer 200, or 400 with what is not allowed."""
        headers = self._preflight_headers | self._naming(request_headers["origin"])
        if self.allow_all_headers and "access-control-request-headers" in request_headers:
            headers["Access-Control-Allow-Headers"] = request_headers["access-control-request-headers"]
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
            "method": request_headers["access-control-request-method"] in self._methods,
            "headers": self.allow_all_headers or self._header_names.issuperset(names),
            "private-network": self.allow_private_network or not wants_private_network,
        }
        return [name for name, passed in checks.items() if not passed]

    def _naming(self, origin: str) -> dict[str, str]:
        """Lets the pages of an origin that is allowed read the response."""
        named = origin if self.allow_credentials or not self.allow_all_origins else "*"
        return {"Access-Control-Allow-Origin": named} if self.is_allowed_origin(origin) else {}

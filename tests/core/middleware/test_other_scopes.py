"""A middleware lets pass what it has nothing to do with."""

from collections.abc import Callable
from typing import Any

import pytest

from core.authentication import AuthenticationBackend
from core.middleware import Middleware
from core.middleware.authentication import AuthenticationMiddleware
from core.middleware.base import BaseHTTPMiddleware
from core.middleware.body_limit import RequestBodyLimitMiddleware
from core.middleware.cors import CORSMiddleware
from core.middleware.csrf import CSRFMiddleware
from core.middleware.errors import ServerErrorMiddleware
from core.middleware.exceptions import ExceptionMiddleware
from core.middleware.gzip import GZipMiddleware
from core.middleware.httpsredirect import HTTPSRedirectMiddleware
from core.middleware.proxy import ProxyHeadersMiddleware
from core.middleware.ratelimit import RateLimitMiddleware
from core.middleware.requestid import RequestIdMiddleware
from core.middleware.security import SecurityHeadersMiddleware
from core.middleware.sessions import SessionMiddleware
from core.middleware.trustedhost import TrustedHostMiddleware
from core.types import ASGIApp, Receive, Scope, Send
from tests.core.connections import Sent, body_of

AROUND: dict[str, Callable[[ASGIApp], ASGIApp]] = {
    "authentication": lambda app: AuthenticationMiddleware(app, backend=AuthenticationBackend()),
    "base": BaseHTTPMiddleware,
    "body limit": lambda app: RequestBodyLimitMiddleware(app, max_body_size=1),
    "cors": lambda app: CORSMiddleware(app, allow_origins=["https://a.example"]),
    "csrf": lambda app: CSRFMiddleware(app, secret_key="key", session_id=lambda connection: None),
    "errors": ServerErrorMiddleware,
    "exceptions": ExceptionMiddleware,
    "gzip": GZipMiddleware,
    "https redirect": HTTPSRedirectMiddleware,
    "proxy": lambda app: ProxyHeadersMiddleware(app, ["10.0.0.0/8"]),
    "rate limit": lambda app: RateLimitMiddleware(app, []),
    "request id": RequestIdMiddleware,
    "security": lambda app: SecurityHeadersMiddleware(app, content_security_policy=None),
    "sessions": lambda app: SessionMiddleware(app, "key"),
    "trusted host": lambda app: TrustedHostMiddleware(app, ["a.example"]),
}


@pytest.mark.parametrize("name", AROUND)
async def test_the_lifespan_passes_untouched(name: str) -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, dict(scope), await receive()))
        await send({"type": "lifespan.startup.complete"})

    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    sent = Sent()
    await AROUND[name](app)(scope, body_of(b""), sent)

    assert [(same is scope, then) for same, then, _ in seen] == [(True, {**scope})]
    assert sent.messages == [{"type": "lifespan.startup.complete"}]


def test_a_middleware_shows_its_class_and_arguments() -> None:
    assert repr(Middleware(CORSMiddleware, allow_origins=["*"])) == "Middleware(CORSMiddleware, allow_origins=['*'])"

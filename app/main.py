"""The application, whole: settings in, an ASGI callable out. Read this file first."""

import contextlib
import functools
from collections.abc import AsyncIterator

from app import features
from app.accounts import passwords
from app.accounts.sessions import session_id
from app.caching import NeverStored
from app.config import ROOT, Settings, load_settings
from app.database import REQUESTS, Database
from app.drain import Drain, DrainMiddleware
from app.errors import exception_handlers
from app.health import TrustedHostButForProbes, health_routes
from app.language import LanguageMiddleware
from app.logs import AccessLogMiddleware, configure_logs
from app.metrics import watch_pool
from app.policy import public
from app.realtime.running import realtime
from app.stalls import StallWatch, spare_what_stays
from app.templates import environment
from app.tokens.bearer import CredentialBackend, client_of, refuse_credentials
from app.uploads import reads_form_itself
from core.applications import Starlette
from core.middleware import Middleware
from core.middleware.authentication import AuthenticationMiddleware
from core.middleware.csrf import CSRFMiddleware
from core.middleware.gzip import GZipMiddleware
from core.middleware.proxy import ProxyHeadersMiddleware
from core.middleware.ratelimit import RateLimit, RateLimitMiddleware
from core.middleware.requestid import RequestIdMiddleware
from core.middleware.security import DEFAULT_CONTENT_SECURITY_POLICY, SecurityHeadersMiddleware
from core.middleware.sessions import SessionMiddleware
from core.routing import BaseRoute, Mount
from core.staticfiles import HashedStaticFiles

MAX_BODY_SIZE = 1024 * 1024  # Bytes. A route that takes uploads names its own limit.
HSTS_SECONDS = 2 * 365 * 24 * 60 * 60

# For each client and process: a program that runs wild is stopped before it costs a statement.
API_LIMIT = RateLimit("api", allowed=600, seconds=60, paths=("/api/v1/", "/graphql"))

# For each token, from however many places it is used.
TOKEN_LIMIT = RateLimit("token", allowed=600, seconds=60, paths=("/api/v1/", "/graphql"))

# The toolkit's policy, and frames of our own: the mailbox shows an e-mail in one.
CONTENT_SECURITY_POLICY = {**DEFAULT_CONTENT_SECURITY_POLICY, "frame-src": "'self'"}


def create_app(settings: Settings | None = None, *, database: Database | None = None) -> Starlette:
    """Build the application. Without `settings` they are read from the environment; SettingsError lists what is wrong.

    A `database` that is given (tests do) stays its giver's to close.
    """
    settings = settings or load_settings()
    configure_logs(settings)
    passwords.use_memory(settings.password_memory)
    drain = Drain(settings.drain_seconds)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.database = database or Database.from_settings(settings, REQUESTS)
        if database is not None:
            async with realtime(app, settings, database):
                yield
            return
        watch_pool(app.state.database.engine)
        spare_what_stays()  # Before the watch, to which it would be a stall.
        try:
            with drain.begun_by_sigterm(), StallWatch().watching():
                async with realtime(app, settings, app.state.database):
                    yield
        finally:
            await app.state.database.close()

    static = static_files(debug=settings.debug)
    app = Starlette(
        debug=False,  # Errors are the product's own pages everywhere; the log has the traceback.
        routes=all_routes(settings, static),
        middleware=middleware(settings),
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
        max_body_size=MAX_BODY_SIZE,
        error_responses_inside_middleware=True,  # A failure's page has the security headers and the request id, too.
    )
    environment().auto_reload = settings.debug  # Else every template of a page is looked at on the disk each time.
    app.state.settings = settings
    app.state.drain = drain
    app.state.static = static
    return app


@functools.cache
def static_files(*, debug: bool) -> HashedStaticFiles:
    """One for all applications of a process: tests make thousands, and each would read the whole folder for its digest."""
    return HashedStaticFiles(directory=ROOT / "static", debug=debug)


def all_routes(settings: Settings, static: HashedStaticFiles) -> list[BaseRoute]:
    """The whole URL map: files, health, then every feature's routes in import order."""
    return [
        public(Mount("/static", static, name="static")),
        *health_routes,
        *features.routes(development=not settings.is_production),
    ]


def middleware(settings: Settings) -> list[Middleware]:
    """The layers around the router, from the outermost to the innermost."""
    return [
        Middleware(DrainMiddleware),
        Middleware(ProxyHeadersMiddleware, trusted=settings.trusted_proxies),
        Middleware(RequestIdMiddleware),
        Middleware(AccessLogMiddleware),
        Middleware(
            SecurityHeadersMiddleware,
            content_security_policy=CONTENT_SECURITY_POLICY,
            hsts_seconds=HSTS_SECONDS if settings.uses_https else 0,
        ),
        Middleware(TrustedHostButForProbes, allowed_hosts=settings.allowed_hosts, www_redirect=False),
        Middleware(NeverStored),
        Middleware(RateLimitMiddleware, limits=[API_LIMIT]),
        Middleware(RateLimitMiddleware, limits=[TOKEN_LIMIT], client=client_of),
        Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5),
        Middleware(LanguageMiddleware),
        Middleware(
            SessionMiddleware,
            secret_key=settings.key("state").hex(),
            session_cookie="__Host-state" if settings.uses_https else "state",
            max_age=60 * 60,
            https_only=settings.uses_https,
        ),
        Middleware(AuthenticationMiddleware, backend=CredentialBackend(settings), on_error=refuse_credentials),
        Middleware(
            CSRFMiddleware,
            secret_key=settings.key("csrf").hex(),
            session_id=session_id,
            deferred=reads_form_itself,
        ),
    ]

"""What machines ask: is the process alive, may it take traffic, and how does it fare?"""

import hmac
from ipaddress import ip_address, ip_network

from prometheus_client import CONTENT_TYPE_LATEST

from app.config import Settings, current_settings
from app.database import Database
from app.drain import Drain
from app.metrics import exposition
from app.pages import NEVER_STORED
from app.policy import public
from core.exceptions import HTTPException
from core.middleware.trustedhost import TrustedHostMiddleware
from core.requests import Request
from core.responses import JSONResponse, Response
from core.routing import Route
from core.types import Receive, Scope, Send

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class TrustedHostButForProbes(TrustedHostMiddleware):
    """Probes of a container or an orchestrator name the address of the machine, which no list can know beforehand."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PATHS:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def alive(request: Request) -> Response:
    """The process answers. Touches nothing, so that a database's outage does not make it be killed."""
    return JSONResponse({"status": "alive"}, headers=NEVER_STORED)


async def ready(request: Request) -> Response:
    """The database is reachable, its migrations are current and the process is not about to end: it may take traffic."""
    drain: Drain = request.app.state.drain
    database: Database = request.app.state.database
    problem = "The process is about to end." if drain.has_begun else await database.find_problem()
    if problem:
        return JSONResponse({"status": "unavailable", "reason": problem}, 503, headers=NEVER_STORED)
    return JSONResponse({"status": "ready"}, headers=NEVER_STORED)


async def show_metrics(request: Request) -> Response:
    """Prometheus's figures, for those who have the token or ask from a network that the settings allow."""
    if not may_read_metrics(request, current_settings(request)):
        raise HTTPException(404)  # Nobody else learns that there are any.
    return Response(exposition(), headers={"content-type": CONTENT_TYPE_LATEST, **NEVER_STORED})


def may_read_metrics(request: Request, settings: Settings) -> bool:
    """Whether the request has METRICS_TOKEN, or comes from METRICS_NETWORKS."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given, expected = token.strip().encode(), str(settings.metrics_token).encode()
    if scheme.lower() == "bearer" and expected and hmac.compare_digest(given, expected):
        return True
    client = request.client
    return client is not None and any(_is_within(client.host, network) for network in settings.metrics_networks)


def _is_within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False  # A socket's path, or a test's name for itself.


health_routes = [
    public(Route("/healthz", alive, name="health.alive")),
    public(Route("/readyz", ready, name="health.ready")),
    public(Route("/metrics", show_metrics, name="health.show_metrics")),
]

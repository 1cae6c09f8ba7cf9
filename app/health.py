"""What machines ask: is the process alive, and may it take traffic?"""

from app.database import Database
from app.policy import public
from core.middleware.trustedhost import TrustedHostMiddleware
from core.requests import Request
from core.responses import JSONResponse, Response
from core.routing import Route
from core.types import Receive, Scope, Send

NOT_STORED = {"cache-control": "no-store"}

PATHS = frozenset({"/healthz", "/readyz"})


class TrustedHostButForProbes(TrustedHostMiddleware):
    """Probes of a container or an orchestrator name the address of the machine, which no list can know beforehand."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PATHS:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def alive(request: Request) -> Response:
    """The process answers. Touches nothing, so that a database's outage does not make it be killed."""
    return JSONResponse({"status": "alive"}, headers=NOT_STORED)


async def ready(request: Request) -> Response:
    """The database is reachable and its migrations are current: this process may take traffic."""
    database: Database = request.app.state.database
    problem = await database.find_problem()
    if problem:
        return JSONResponse({"status": "unavailable", "reason": problem}, 503, headers=NOT_STORED)
    return JSONResponse({"status": "ready"}, headers=NOT_STORED)


health_routes = [
    public(Route("/healthz", alive, name="health.alive")),
    public(Route("/readyz", ready, name="health.ready")),
]

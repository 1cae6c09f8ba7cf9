"""Who may listen: what the endpoints of this feature and GraphQL's subscriptions depend on."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlsplit

from app.config import CurrentSettings, Settings
from app.policy import Guard
from app.realtime.live import LiveConnection, live_connection
from core.exceptions import HTTPException
from core.params import Depends
from core.websockets import WebSocket

LOCAL = ("localhost", "127.0.0.1", "[::1]")


def own_origins(settings: Settings) -> frozenset[str]:
    """The origins of our own pages; in development a machine's own names are as good as another."""
    address = urlsplit(settings.base_url)
    if settings.is_production:
        return frozenset({settings.base_url})
    return frozenset({settings.base_url, *(f"{address.scheme}://{name}:{address.port}" for name in LOCAL)})


async def require_own_origin(websocket: WebSocket, settings: CurrentSettings) -> None:
    """Refuse handshakes from other sites' pages, to which the browser would add our cookie (CSWSH), and those without origin.

    Nothing else would: the same-origin policy does not cover websockets, and servers do not look at the header.
    """
    if websocket.headers.getlist("origin") not in [[origin] for origin in own_origins(settings)]:
        raise HTTPException(403)


async def listener(
    websocket: WebSocket, _: Annotated[None, Depends(require_own_origin)]
) -> AsyncIterator[LiveConnection]:
    """The websocket of somebody who is signed in, refused before it is accepted if it comes from elsewhere."""
    async with live_connection(websocket) as live:
        yield live


Listener = Annotated[LiveConnection, Guard(listener, access="signed in")]

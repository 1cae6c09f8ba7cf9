"""Limits how often a client may ask, within this process.

It sheds load; it does not replace limits that must hold across processes, such as those on passwords.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache

from core._utils import is_among
from core.exceptions import HTTPException
from core.middleware.exceptions import refuse
from core.requests import HTTPConnection
from core.types import ASGIApp, Receive, Scope, Send

# Whoever has one IPv6 address usually has its whole /64.
IPV6_PREFIX = 64
# Clients come back.
ADDRESSES_KEPT = 4096

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`allowed` requests at once and, over time, `allowed` per `seconds`, for a group of routes.

    `paths` are paths, and prefixes of paths ending in "/"; `methods` None means all. `name` keeps groups apart.
    """

    name: str
    allowed: int
    seconds: float
    paths: Sequence[str] = ("/",)
    methods: Sequence[str] | None = None

    def covers(self, scope: Scope) -> bool:
        is_ours = is_among(scope["path"], self.paths)
        return is_ours and (self.methods is None or scope.get("method", "GET") in self.methods)


def client_network(connection: HTTPConnection) -> str | None:
    """Return the peer's IPv4 address or IPv6 network, None for a peer without address (a Unix socket)."""
    return None if connection.client is None else _network_of(connection.client.host)


@lru_cache(ADDRESSES_KEPT)
def _network_of(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    network = ipaddress.ip_network((address, IPV6_PREFIX), strict=False) if address.version == 6 else address
    return str(network)


@dataclass(eq=False)
class RateLimitMiddleware:
    """Answers 429 with Retry-After, through the application's own error page, once a client's token bucket is empty.

    `client` names the client, or returns None to let the request pass; by default it is the peer's address (so behind
    ProxyHeadersMiddleware the real one), for IPv6 its /64 network. At most `max_keys` buckets are kept: the one not used
    for longest is forgotten, that is, full again. `clock` gives seconds.
    """

    app: ASGIApp
    limits: Sequence[RateLimit]
    _: KW_ONLY
    client: Callable[[HTTPConnection], str | None] = client_network
    max_keys: int = 10_000
    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[Key, tuple[float, float]] = field(init=False, repr=False, default_factory=OrderedDict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._wait(scope) if scope["type"] in ("http", "websocket") else 0.0
        if wait > 0:
            error = HTTPException(429, headers={"Retry-After": str(math.ceil(wait))})
            await refuse(error, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        """Take a token from each bucket concerned; return the seconds until all of them have one."""
        limits = [limit for limit in self.limits if limit.covers(scope)]
        client = self.client(HTTPConnection(scope)) if limits else None
        if client is None:
            return 0.0
        return max(self._take(limit, (limit.name, client)) for limit in limits)

    def _take(self, limit: RateLimit, key: Key) -> float:
        now, rate = self.clock(), limit.allowed / limit.seconds
        tokens, filled_at = self._buckets.pop(key, (float(limit.allowed), now))
        tokens = min(limit.allowed, tokens + (now - filled_at) * rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / rate
        self._buckets[key] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > self.max_keys:
            self._buckets.popitem(last=False)
        return wait

"""What a trusted reverse proxy says about the client: its address and whether it came by https."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from core._urls import DEFAULT_PORTS, SCHEMES
from core.types import ASGIApp, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A longer list is an attack on whoever walks it; the hops of a real one are few.
MOST_HOPS = 50
# Clients come back, and the proxies are with each request.
ADDRESSES_KEPT = 4096


class ProxyHeadersMiddleware:
    """Takes `scope["client"]` from X-Forwarded-For and `scope["scheme"]` from X-Forwarded-Proto.

    Both are believed only if the peer is one of `trusted`: addresses, networks (`10.0.0.0/8`), or "unix" for a server on
    a Unix socket, whose peer has no address. The client is the right-most address that is not itself a trusted proxy:
    whatever stands left of it was written by that client. "*" is refused with ValueError, for with it anyone could choose
    the address. The Host header is left alone: a proxy is to pass it on.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self.app = app
        self._trusts_unix_socket = "unix" in trusted
        self._networks = [_parse_network(entry) for entry in trusted if entry != "unix"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and self._is_trusted_peer(scope.get("client")):
            self._apply(scope)
        await self.app(scope, receive, send)

    def _apply(self, scope: Scope) -> None:
        client = self._find_client(_field_values(scope, b"x-forwarded-for"))
        if client is not None:
            # The port is that of the connection to the proxy; nobody tells the client's own.
            scope["client"] = (client, 0)
        scheme = (_field_values(scope, b"x-forwarded-proto") or [""])[-1].lower()
        if scheme in DEFAULT_PORTS:
            scope["scheme"] = SCHEMES[scope["type"], scheme in ("https", "wss")]

    def _find_client(self, hops: list[str]) -> str | None:
        client = None
        for hop in reversed(hops[-MOST_HOPS:]):
            address = _parse_address(hop)
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted_peer(self, client: Sequence[object] | None) -> bool:
        if not client or not client[0]:
            return self._trusts_unix_socket
        return self._is_trusted(_parse_address(str(client[0])))

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _field_values(scope: Scope, wanted: bytes) -> list[str]:
    """Return the comma-separated items of all fields of this name, in order."""
    fields = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
    return [item.strip() for item in ",".join(fields).split(",") if item.strip()]


def _parse_network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError as error:
        advice = 'Name the proxies, for example "10.0.0.0/8"; there is no wildcard.'
        raise ValueError(f"Trusted proxy {entry!r} is not an address or network: {error}. {advice}") from None


@lru_cache(ADDRESSES_KEPT)
def _parse_address(text: str) -> Address | None:
    """Parse `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1` or `[2001:db8::1]:8080`; an IPv4-mapped address as IPv4.

    The zone of `fe80::1%eth0`, which may be any text, is left out.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(ipaddress.ip_address(text).packed)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

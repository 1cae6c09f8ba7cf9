"""URLs as values, and the host that a request was sent to.

Nothing here joins what a client sent into a string in order to parse it again: the host is checked against its grammar
(RFC 3986 section 3.2.2, RFC 9110 section 7.2), and the parts stay parts.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit, urlunsplit

from core.types import Scope

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
SCHEMES = {("http", False): "http", ("http", True): "https", ("websocket", False): "ws", ("websocket", True): "wss"}
# Names are at most 253 characters long (RFC 1035 section 2.3.4); the rest is for a port and to spare.
LONGEST_HOST = 300
HOST_CHARACTER = r"[A-Za-z0-9._~!$&'()*+,;=-]"
AUTHORITY = re.compile(
    rf"(?:\[(?:(?P<address>[0-9A-Fa-f:.]+)|v[0-9A-Fa-f]+\.(?:{HOST_CHARACTER}|:)+)\]"
    rf"|(?:{HOST_CHARACTER}|%[0-9A-Fa-f]{{2}})+)(?::(?P<port>[0-9]*))?"
)
NETLOC = re.compile(
    r"(?:(?P<username>[^:]+)?(?::(?P<password>.*))?@)?(?P<hostname>\[.*\]|[^:]*)(?::(?P<port>.+)?)?", re.DOTALL
)
PORT = re.compile(r":[0-9]+\Z")
# What a query string may hold without breaking the URL around it; everything else is percent-encoded.
QUERY_CHARACTERS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
# What would end the path or be dropped or rewritten by a parser.
UNSAFE_IN_PATH = {code: f"%{code:02X}" for code in [*range(0x20), 0x7F, *map(ord, "?#\\")]}
UNSAFE_CHARACTERS = frozenset(map(chr, UNSAFE_IN_PATH))


def _component(name: str) -> Any:
    # Of the type that is declared where it is used.
    return property(attrgetter(f"components.{name}"))


class URL:
    """A URL and its parts, made from a string, from an ASGI scope, or from the parts.

    One made from a scope is put together from parts and never parsed again: whatever the Host header or the path
    contain, `path` is the path that was routed and `hostname` the host that was asked.
    """

    __slots__ = ("_components", "_url")

    def __init__(self, url: str = "", scope: Scope | None = None, **components: Any) -> None:
        if (scope is not None) + bool(url) + bool(components) > 1:
            raise AssertionError('Cannot set more than one of "url", "scope" and components.')
        self._url: str | None = None
        self._components: SplitResult | None = None
        if scope is not None:
            self._components = components_of(scope)
        elif components:
            self._components = replace_components(urlsplit(""), components)
        else:
            self._url = url

    @property
    def components(self) -> SplitResult:
        if self._components is None:
            self._components = urlsplit(str(self))
        return self._components

    scheme: str = _component("scheme")
    netloc: str = _component("netloc")
    path: str = _component("path")
    query: str = _component("query")
    fragment: str = _component("fragment")
    username: str | None = _component("username")
    password: str | None = _component("password")
    hostname: str | None = _component("hostname")
    port: int | None = _component("port")

    @property
    def is_secure(self) -> bool:
        return self.scheme in ("https", "wss")

    def replace(self, **kwargs: Any) -> URL:
        """The URL with other components; of the authority also single parts: username, password, hostname, port."""
        return URL(**replace_components(self.components, kwargs)._asdict())

    def include_query_params(self, **kwargs: Any) -> URL:
        """The URL with these query parameters set, each in place of all earlier values of its name."""
        return self._with_query([*self._query_without(kwargs), *kwargs.items()])

    def replace_query_params(self, **kwargs: Any) -> URL:
        return self._with_query(kwargs.items())

    def remove_query_params(self, keys: str | Sequence[str]) -> URL:
        return self._with_query(self._query_without({keys} if isinstance(keys, str) else set(keys)))

    def _query_without(self, names: Container[str]) -> list[tuple[str, str]]:
        return [pair for pair in parse_urlencoded(self.query) if pair[0] not in names]

    def _with_query(self, pairs: Iterable[tuple[str, Any]]) -> URL:
        return self.replace(query=urlencode([(name, str(value)) for name, value in pairs]))

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        if self._url is None:
            self._url = urlunsplit(self.components)
        return self._url

    def __repr__(self) -> str:
        shown = str(self.replace(password="********")) if self.password else str(self)  # noqa: S106 - a mask
        return f"{type(self).__name__}({shown!r})"


class URLPath(str):
    """The path of a route, with the protocol ("http", "websocket" or "") and the host that belong to it."""

    __slots__ = ("host", "protocol")
    host: str
    protocol: str

    def __new__(cls, path: str, protocol: str = "", host: str = "") -> URLPath:
        if protocol not in ("http", "websocket", ""):
            raise AssertionError(f"Unknown protocol {protocol!r}.")
        self = super().__new__(cls, without_authority(path.replace("\\", "%5C")))
        self.protocol = protocol
        self.host = host
        return self

    def make_absolute_url(self, base_url: str | URL) -> URL:
        base = URL(base_url) if isinstance(base_url, str) else base_url
        scheme = SCHEMES[self.protocol, base.is_secure] if self.protocol else base.scheme
        return URL(scheme=scheme, netloc=self.host or base.netloc, path=base.path.rstrip("/") + str(self))


def components_of(scope: Scope) -> SplitResult:
    """The parts of a request's URL. Without a usable host they are those of a relative one."""
    scheme = scope.get("scheme", "http")
    netloc = requested_authority(scope, scheme)
    path = scope["path"]
    if not UNSAFE_CHARACTERS.isdisjoint(path):
        path = path.translate(UNSAFE_IN_PATH)
    if path[:1] != "/" and path:
        path = f"/{path}"
    if not netloc:
        path = without_authority(path)
    query = quote(scope.get("query_string", b""), safe=QUERY_CHARACTERS)
    return SplitResult(scheme if netloc else "", netloc, path, query, "")


def requested_authority(scope: Scope, scheme: str) -> str:
    """The Host header if there is one that follows the grammar, else the server's own address, else ""."""
    named = host_header(scope)
    server = scope.get("server")
    if is_authority(named):
        return named
    if server is None:
        return ""
    host, port = server
    has_default_port = port is None or port == DEFAULT_PORTS.get(scheme)
    netloc = with_brackets(host) if has_default_port else f"{with_brackets(host)}:{port}"
    return netloc if is_authority(netloc) else ""


def requested_host(scope: Scope) -> str:
    """The host that was asked for, in lower case and without port; "" if that is missing, doubled or malformed."""
    return without_port(host_header(scope))


@lru_cache(maxsize=1024)
def without_port(authority: str) -> str:
    host = PORT.sub("", authority.lower())
    return host if is_authority(host) else ""


def host_header(scope: Scope) -> str:
    hosts: list[bytes] = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 and len(hosts[0]) < LONGEST_HOST else ""


@lru_cache(maxsize=1024)
def is_authority(text: str) -> bool:
    """Whether text is a host with an optional port from 0 to 65535, and nothing else (no userinfo, path or query)."""
    found = AUTHORITY.fullmatch(text)
    if found is None or int(found["port"] or 0) > 65535:
        return False
    try:
        return not found["address"] or bool(ipaddress.IPv6Address(found["address"]))
    except ValueError:
        return False


def with_brackets(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and host[0] != "[" else host


def without_authority(path: str) -> str:
    """The path with a leading `//` defused: standing alone it would be read as the address of another host."""
    return f"/%2F{path[2:]}" if path[:2] == "//" else path


def replace_components(components: SplitResult, changes: Mapping[str, Any]) -> SplitResult:
    changes = dict(changes)
    parts = {name: changes.pop(name) for name in NETLOC.groupindex if name in changes}
    if parts:
        changes["netloc"] = replace_authority(changes.get("netloc", components.netloc), parts)
    return components._replace(**changes)


def replace_authority(netloc: str, changes: Mapping[str, Any]) -> str:
    found: Any = NETLOC.fullmatch(netloc)  # Never None: it takes any text.
    username, password, hostname, port = {**found.groupdict(), **changes}.values()
    address = with_brackets(hostname or "") + ("" if port is None else f":{port}")
    if username is None and password is None:
        return address
    return f"{username or ''}{'' if password is None else f':{password}'}@{address}"


def parse_urlencoded(text: str) -> list[tuple[str, str]]:
    """The pairs of `name=value&…` (WHATWG URL section 5.1). Only `&` separates; invalid UTF-8 becomes U+FFFD."""
    fields = [field.partition("=") for field in text.replace("+", " ").split("&") if field]
    # Asking first takes a third of the time of having `unquote` find nothing to do.
    return [
        (unquote(name) if "%" in name else name, unquote(value) if "%" in value else value) for name, _, value in fields
    ]

"""The bytes of HTTP/1.1 (RFC 9112): status lines, header lines, request targets and hosts."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote

# RFC 9110: a field name is a token; a field value has no control characters except tab.
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
FIELD_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
# RFC 3986, section 3.2.2: IP literal, or registered name (which an IPv4 address is as well), and a port.
HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}){1,255})(?::[0-9]{0,5})?"
)

# What a response header means for framing.
PLAIN, LENGTH, ENCODING, CONNECTION = range(4)
MEANINGS = {b"content-length": LENGTH, b"transfer-encoding": ENCODING, b"connection": CONNECTION}

REMEMBERED = 1024
REMEMBERED_SIZE = 256


class Refused(Exception):
    """A request that is answered by the server itself, after which the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINES = {status: status_line(status) for status in range(100, 600)}


class HeaderLines:
    """The lines of response headers, validated once and remembered: most of them are the same in every response.

    Cookies are not remembered: they are never the same, and nothing of a person should stay in the server's memory.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, bytes], tuple[bytes, int]] = {}

    def add(self, name: bytes, value: bytes) -> tuple[bytes, int]:
        """The line and its meaning. Raises RuntimeError for a name or value that would break out of its line."""
        name, value = bytes(name), bytes(value)
        if not TOKEN.fullmatch(name):
            raise RuntimeError(f"Invalid HTTP header name {name!r}.")
        if not FIELD_VALUE.fullmatch(value):
            raise RuntimeError(f"Invalid value of the HTTP header {name!r}.")
        lowered = name.lower()
        entry = (b"".join((lowered, b": ", value, b"\r\n")), MEANINGS.get(lowered, PLAIN))
        if lowered != b"set-cookie" and len(entry[0]) <= REMEMBERED_SIZE:
            self._remember(name, value, entry)
        return entry

    def _remember(self, name: bytes, value: bytes, entry: tuple[bytes, int]) -> None:
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[name, value] = entry


class KnownHosts:
    """Which `Host` values are well formed (RFC 9110, section 7.2), remembering those that were."""

    def __init__(self) -> None:
        self.known: set[bytes] = set()

    def require(self, host: bytes) -> None:
        """Raises Refused (400) for a host that is not of the grammar."""
        if host in self.known:
            return
        if not HOST.fullmatch(host) or int(host.rpartition(b":")[2] or 0 if _has_port(host) else 0) > 65535:
            raise Refused(400, "The Host header is not valid.")
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known.add(host)


def _has_port(host: bytes) -> bool:
    return b":" in host.rpartition(b"]")[2]


def split_target(method: str, target: bytes, host: bytes | None) -> tuple[str, bytes, bytes]:
    """The decoded path, the raw path and the query of a request target (RFC 9112, section 3.2). Raises Refused (400)."""
    if target[:1] != b"/":
        target = _other_form(method, target, host)
    if b"#" in target:
        raise Refused(400, "The request target has a fragment.")
    raw_path, _, query = target.partition(b"?")
    path = raw_path.decode("ascii")
    return unquote(path) if "%" in path else path, raw_path, query


def _other_form(method: str, target: bytes, host: bytes | None) -> bytes:
    """An absolute target without its own host, and the `*` of OPTIONS."""
    if target == b"*" and method == "OPTIONS":
        return target
    scheme, separator, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    if not separator or scheme.lower() not in (b"http", b"https") or authority != host:
        raise Refused(400, "The request target is not valid.")
    return slash + path if slash else b"/"


def refusal(status: int, reason: str, default_lines: bytes) -> bytes:
    """A whole response of the server itself, the last one of its connection."""
    body = reason.encode()
    head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
    return b"".join((STATUS_LINES[status], default_lines, head, body))

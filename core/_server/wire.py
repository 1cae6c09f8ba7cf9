"""The bytes of HTTP/1.1 (RFC 9112): status lines, header lines, request targets and hosts."""

from __future__ import annotations

import re
from functools import lru_cache

from core.exceptions import REASON_PHRASES

# RFC 9110: a field name is a token; a field value has no control characters except tab.
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
FIELD_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
# RFC 3986, section 3.2.2: IP literal, or registered name (which an IPv4 address is as well), and a port.
HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}){1,255})(?::([0-9]{0,5}))?"
)

# The request line of most requests (RFC 9112, section 3): a known method, a path, no fragment. The parser accepts them all.
REQUEST_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!\"$->@-~]*)(?:\?([!\"$-~]*))? HTTP/1\.1")

# What a response header means for framing, other than a length, which is the number itself.
CHUNKED, CLOSE = -1, -2
MEANINGS = {b"transfer-encoding": CHUNKED, b"connection": CLOSE}

REMEMBERED = 1024
REMEMBERED_SIZE = 256


class Refused(Exception):
    """A request that is answered by the server itself, after which the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


STATUS_LINES = {
    status: f"HTTP/1.1 {status} {REASON_PHRASES.get(status, '')}\r\n".encode() for status in range(100, 600)
}


class HeaderLines(dict[tuple[bytes, bytes], tuple[bytes, int | None]]):
    """The lines of response headers and their meanings, validated once and remembered: most are the same in every response.

    The meaning is the number of bytes of a Content-Length, CHUNKED, CLOSE, or None, which most have.

    Cookies are not remembered: they are never the same, and nothing of a person should stay in the server's memory.
    """

    def __missing__(self, header: tuple[bytes, bytes]) -> tuple[bytes, int | None]:
        """Raises RuntimeError for a name or value that would break out of its line."""
        name, value = bytes(header[0]).lower(), bytes(header[1])
        if not TOKEN.fullmatch(name):
            raise RuntimeError(f"Invalid HTTP header name {name!r}.")
        if not FIELD_VALUE.fullmatch(value) or (name == b"content-length" and not value.isdigit()):
            raise RuntimeError(f"Invalid value of the HTTP header {name!r}.")
        meaning = int(value) if name == b"content-length" else MEANINGS.get(name)
        if meaning == CLOSE and value.lower() != b"close":
            meaning = None
        line = b"".join((name, b": ", value, b"\r\n"))
        if name != b"set-cookie" and len(line) <= REMEMBERED_SIZE:
            if len(self) >= REMEMBERED:
                self.clear()
            self[header] = line, meaning
        return line, meaning


HEADER_LINES = HeaderLines()


@lru_cache(REMEMBERED)
def require_host(host: bytes) -> None:
    """Raises Refused (400) for a `Host` that is not of the grammar (RFC 9110, section 7.2). Well-formed ones are remembered."""
    match = HOST.fullmatch(host)
    if match is None or int(match[1] or 0) > 65535:
        raise Refused(400, "The Host header is not valid.")


def origin_form(method: str, target: bytes, host: bytes | None) -> bytes:
    """The path and query of a request target, or the `*` of OPTIONS (RFC 9112, section 3.2). Raises Refused (400)."""
    if b"#" in target:
        raise Refused(400, "The request target has a fragment.")
    if target[:1] == b"/" or (target == b"*" and method == "OPTIONS"):
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

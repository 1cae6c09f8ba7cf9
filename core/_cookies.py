"""Cookies as text: reading the Cookie header and writing Set-Cookie (RFC 6265).

Reading is linear in the length of the header, which CPython's http.cookies is not before 3.11.10 (CVE-2024-7592).
"""

from __future__ import annotations

import datetime
import re
import sys
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Literal

from core._headers import TOKEN_CHARACTERS, RawHeaders

SameSite = Literal["lax", "strict", "none"]
ESCAPE = re.compile(r"\\(?:([0-3][0-7][0-7])|(.?))", re.DOTALL)
# Browsers only send these names for cookies that a sibling domain cannot have set (RFC 6265bis section 4.1.3).
PROTECTED_PREFIXES = ("__host-", "__secure-")
# Characters that only Python calls blank are left: browsers let a sibling domain set "\xa0__Host-session".
BLANKS = " \t"
COOKIE_ENCODER = SimpleCookie()


def cookie_parser(cookie_string: str) -> dict[str, str]:
    """The cookies of a Cookie header. A piece without "=" has the name "". Never raises.

    A protected name that occurs twice is left out: one of the two was smuggled in, and which one cannot be known.
    """
    cookies: dict[str, str] = {}
    ambiguous = set()
    for piece in cookie_string.split(";"):
        name, equals, value = piece.partition("=")
        name, value = (name.strip(BLANKS), value.strip(BLANKS)) if equals else ("", piece.strip(BLANKS))
        if not name and not value:
            continue
        if name in cookies and name.lower().startswith(PROTECTED_PREFIXES):
            ambiguous.add(name)
        cookies[name] = unquote(value)
    for name in ambiguous:
        del cookies[name]
    return cookies


def find_cookie(headers: RawHeaders, name: str) -> str | None:
    """The cookie of that name, as `cookie_parser` finds it in all the Cookie headers, without reading the others."""
    pieces = []
    for field, value in headers:
        if field == b"cookie":
            pieces += [piece for piece in value.decode("latin-1").split(";") if name in piece]
    return cookie_parser(";".join(pieces)).get(name) if pieces else None


def unquote(value: str) -> str:
    """Undo the quoting of RFC 2109: a quoted string with `\\"`, `\\\\` and octal escapes such as `\\054`."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return ESCAPE.sub(lambda escape: chr(int(escape[1], 8)) if escape[1] else escape[2], value[1:-1])


def format_cookie(key: str, value: str, attributes: Mapping[str, str | int | bool | None]) -> str:
    """The value of a Set-Cookie header. Attributes that are None or False are left out, of True ones only the name shows.

    Raises ValueError for names and attributes that would add attributes.
    """
    if not key or key.encode("utf-8").strip(TOKEN_CHARACTERS):
        raise ValueError(f"Cookie name {key!r} is not a token (RFC 6265 section 4.1.1).")
    if str(attributes["SameSite"] or "lax").lower() not in ("strict", "lax", "none"):
        raise AssertionError("samesite must be either 'strict', 'lax' or 'none'")
    if attributes["Partitioned"] and sys.version_info < (3, 14):
        raise ValueError("Partitioned cookies are only supported in Python 3.14 and above.")
    parts = [f"{key}={COOKIE_ENCODER.value_encode(value)[1]}"]
    for name, content in attributes.items():
        text = str(content)
        if ";" in text or not text.isprintable():
            raise ValueError(f"Cookie {name} {text!r} contains a semicolon or control character.")
        if content is not None and content is not False:
            parts.append(name if content is True else f"{name}={text}")
    return "; ".join(parts)


def expiry_date(expires: datetime.datetime | str | int | None) -> str | None:
    """The date of a datetime in UTC, or that many seconds from now. Text stays as it is."""
    from email.utils import format_datetime, formatdate

    if isinstance(expires, datetime.datetime):
        return format_datetime(expires, usegmt=True)
    return formatdate(time.time() + expires, usegmt=True) if isinstance(expires, int) else expires

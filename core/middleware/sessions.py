"""Sessions kept in a signed cookie: readable by the client, not changeable by it."""

from __future__ import annotations

import json
import logging
import marshal
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass
from functools import lru_cache
from typing import Any, Literal

import itsdangerous

from core._cookies import find_cookie
from core._headers import add_vary, encode_header
from core._utils import notifying
from core.datastructures import Secret
from core.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

# Browsers drop a larger cookie without a word (RFC 6265 section 6.1 asks them for 4096 bytes at least).
LARGEST_COOKIE = 4096

# How many verified cookies are remembered, so that the next request with the same cookie costs no HMAC. Together with the
# limit on a cookie's size this is at most 4 MiB.
REMEMBERED_COOKIES = 1024


@notifying(dict, "__setitem__", "__delitem__", "__ior__", "clear", "popitem", "update")
class Session(dict[str, Any]):
    """The session's values. Assigning and deleting mark it as modified; a change inside a nested value does not."""

    accessed = False
    modified = False

    def mark_accessed(self) -> None:
        self.accessed = True

    def mark_modified(self) -> None:
        """Have the session sent to the client; to be called after a change inside a nested value."""
        self.accessed = self.modified = True

    changed = mark_modified

    def pop(self, key: str, *default: Any) -> Any:
        if key in self:
            self.mark_modified()
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.mark_modified()
        return super().setdefault(key, default)


@dataclass(eq=False)
class SessionMiddleware:
    """Gives `request.session`, a dict kept in a cookie with a signature and the time of signing.

    - `secret_key` may be a sequence: the first key signs, all of them verify, so keys can be rotated without losing
      sessions. The signature covers the cookie's name: a value signed for another cookie is refused.
    - `max_age` is in seconds; None makes a cookie that lasts until the browser closes.
    - The cookie is sent only when the session was modified; with `refresh_after` (seconds) also when it was accessed and
      the cookie is older than that, which keeps the sessions of people who come back.
    """

    app: ASGIApp
    secret_key: InitVar[str | Secret | Sequence[str | Secret]]
    session_cookie: str = "session"
    max_age: int | None = 14 * 24 * 60 * 60
    path: str = "/"
    same_site: Literal["lax", "strict", "none"] = "lax"
    https_only: bool = False
    domain: str | None = None
    partitioned: bool = False
    _: KW_ONLY
    refresh_after: int | None = None

    def __post_init__(self, secret_key: str | Secret | Sequence[str | Secret]) -> None:
        self._lifetime = "" if self.max_age is None else f"Max-Age={self.max_age}; "
        self.security_flags = "httponly; samesite=" + self.same_site
        self.security_flags += "; secure" if self.https_only else ""
        self.security_flags += f"; domain={self.domain}" if self.domain is not None else ""
        self.security_flags += "; partitioned" if self.partitioned else ""
        keys = [secret_key] if isinstance(secret_key, str | Secret) else secret_key
        if not keys:
            raise ValueError("SessionMiddleware needs at least one secret key.")
        # itsdangerous signs with the last one.
        self._cookies = _SignedCookies([str(key) for key in reversed(keys)], f"session.{self.session_cookie}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        value = find_cookie(scope["headers"], self.session_cookie)
        values, signed_at = ({}, 0) if value is None else self._cookies.open(value, self.max_age)
        session = scope["session"] = Session(values)

        def send_session(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start" and (session.accessed or session.modified):
                self._add_headers(message, session, came=value is not None, signed_at=signed_at)
            return send(message)

        return await self.app(scope, receive, send_session)

    def _add_headers(self, message: Message, session: Session, *, came: bool, signed_at: int) -> None:
        add_vary(message, b"Cookie")
        is_due = self.refresh_after is not None and time.time() - signed_at > self.refresh_after
        if session and (session.modified or is_due):
            value, lifetime = self._cookies.seal(session), self._lifetime
        elif session.modified and came and not session:
            value, lifetime = "null", "expires=Thu, 01 Jan 1970 00:00:00 GMT; "
        else:
            return
        if len(value) + len(self.session_cookie) > LARGEST_COOKIE:
            logger.warning("The session cookie has %d bytes: browsers drop more than %d.", len(value), LARGEST_COOKIE)
        cookie = f"{self.session_cookie}={value}; path={self.path}; {lifetime}{self.security_flags}"
        message["headers"].append(encode_header("set-cookie", cookie))


class _SignedCookies:
    """Seals dicts into signed text and opens them again."""

    def __init__(self, keys: list[str], purpose: str) -> None:
        self._signer = itsdangerous.TimestampSigner(keys, salt=purpose)
        # What raises is not remembered, so that forged cookies cannot drive out those of others.
        self._verify_once = lru_cache(REMEMBERED_COOKIES)(self._verify)

    def seal(self, session: Mapping[str, Any]) -> str:
        return self._signer.sign(b64encode(json.dumps(session).encode())).decode()

    def open(self, value: str, max_age: int | None) -> tuple[dict[str, Any], int]:
        """Return the values and the POSIX time of their signing; no values if forged, malformed or too old."""
        verify = self._verify_once if len(value) <= LARGEST_COOKIE else self._verify
        try:
            payload, signed_at = verify(value)
        except (itsdangerous.BadData, UnicodeEncodeError):
            return {}, 0
        age = time.time() - signed_at
        is_valid = max_age is None or 0 <= int(age) <= max_age
        return (marshal.loads(payload), signed_at) if is_valid else ({}, 0)  # noqa: S302 - written here, by _verify

    def _verify(self, value: str) -> tuple[bytes, int]:
        # Marshalled, because reading that makes a copy for each request at a fraction of what reading JSON costs.
        signed, moment = self._signer.unsign(value, return_timestamp=True)
        return marshal.dumps(json.loads(b64decode(signed))), int(moment.timestamp())

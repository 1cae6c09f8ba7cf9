"""What a handler raises to answer with a status instead of returning a response."""

from __future__ import annotations

import http
from collections.abc import Mapping


class HTTPException(Exception):
    """Ends the request with this status. The detail is the reason phrase if none is given ("" for unknown codes)."""

    def __init__(self, status_code: int, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        if detail is None:
            detail = REASON_PHRASES.get(status_code, "")
        # Not super(): a class that is also another exception has that one's parameters next in line.
        Exception.__init__(self, status_code, detail)
        self.status_code = status_code
        self.detail = detail
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code!r}, detail={self.detail!r})"


class WebSocketException(Exception):
    """Closes the websocket with this close code (RFC 6455 section 7.4)."""

    def __init__(self, code: int, reason: str | None = None) -> None:
        super().__init__(code, reason or "")
        self.code = code
        self.reason = reason or ""

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, reason={self.reason!r})"


class StarletteDeprecationWarning(UserWarning):
    """A part of the interface that will go. A UserWarning, because Python hides DeprecationWarning by default."""


REASON_PHRASES = {int(status): status.phrase for status in http.HTTPStatus}

"""Runs a WSGI application (PEP 3333) inside an ASGI one, in a thread."""

import io
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import anyio.from_thread
import anyio.to_thread

from core._utils import get_route_path
from core.datastructures import Headers
from core.exceptions import StarletteDeprecationWarning
from core.requests import Request
from core.types import Message, Receive, Scope, Send

ADVICE = "core.middleware.wsgi is kept for programs written for Starlette and will go; a2wsgi does the same."
warnings.warn(ADVICE, StarletteDeprecationWarning, stacklevel=2)

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]
StartResponse = Callable[..., Callable[[bytes], None]]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# These two have names of their own in CGI; all other headers are HTTP_*.
UNPREFIXED_HEADERS = frozenset({"content-type", "content-length"})


@dataclass(eq=False)
class WSGIMiddleware:
    """Makes an ASGI application of a WSGI one. Answers HTTP only."""

    app: WSGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"A WSGI application cannot serve a scope of type {scope['type']!r}.")
        await WSGIResponder(self.app, scope)(receive, send)


@dataclass(eq=False)
class WSGIResponder:
    """One request through a WSGI application. The request body is read to its end first; the response is streamed."""

    app: WSGIApp
    scope: Scope
    _start: dict[str, Any] | None = None
    _start_sent: bool = False
    _error: BaseException | None = None

    async def __call__(self, receive: Receive, send: Send) -> None:
        body = await Request(self.scope, receive).body()
        self._send = send
        await anyio.to_thread.run_sync(self._run, build_environ(self.scope, body))
        if self._error is not None:
            raise self._error

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExceptionInfo | None = None
    ) -> Callable[[bytes], None]:
        """Called by the application, once, and again with `exc_info` where it answers an error of its own.

        Raises that error if the response was on its way already, AssertionError for a second call without one.
        """
        if exc_info is not None:
            self._error = exc_info[1]
            if self._start_sent:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._start is not None:
            raise AssertionError("start_response() was called twice without exc_info.")
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response_headers]
        self._start = {"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": headers}
        return self._write

    async def _deliver(self, message: Message) -> None:
        await self._send(message)

    def _run(self, environ: dict[str, Any]) -> None:
        parts = self.app(environ, self.start_response)
        try:
            for part in parts:
                self._write(part)
            self._write(b"", more_body=False)
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _write(self, part: bytes, *, more_body: bool = True) -> None:
        # The head waits for the first part with content: until then the application may change its mind.
        if not part and more_body:
            return
        if self._start is None:
            raise AssertionError("The WSGI application answered without calling start_response().")
        if not self._start_sent:
            self._start_sent = True
            anyio.from_thread.run(self._deliver, self._start)
        anyio.from_thread.run(self._deliver, {"type": "http.response.body", "body": part, "more_body": more_body})


def build_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return the WSGI environment of an HTTP scope. Texts are bytes shown as latin-1, as PEP 3333 wants them."""
    path, root_path = scope["path"], scope.get("root_path", "")
    # SCRIPT_NAME and PATH_INFO joined are to be the whole path again.
    rest = path.removeprefix(root_path) if root_path.endswith("/") else get_route_path(scope)
    server = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root_path.encode().decode("latin-1"),
        "PATH_INFO": rest.encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("ascii"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stdout,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    headers = Headers(raw=scope["headers"])
    # X_User and X-User would be one key here, and a proxy that guards the one lets the other pass.
    for name in (name for name in headers if "_" not in name):
        key = name.upper().replace("-", "_")
        environ[key if name in UNPREFIXED_HEADERS else f"HTTP_{key}"] = ",".join(headers.getlist(name))
    return environ

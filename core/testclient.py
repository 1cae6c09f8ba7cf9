"""HTTP and websocket clients that call an ASGI application in memory.

`TestClient` is for synchronous tests, `AsyncTestClient` for those that share an event loop with the application.
"""

import functools
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, nullcontext
from typing import Any, Literal, Self
from urllib.parse import unquote

import anyio
import anyio.abc
import anyio.from_thread
import httpx2

from core._urls import DEFAULT_PORTS, SCHEMES
from core.exceptions import StarletteDeprecationWarning
from core.loopback import ASGI_VERSIONS, HTTPExchange, Lifespan, ProtocolError, ReadChunk, WebSocketExchange, as_asgi3
from core.types import ASGIApp, Message, Receive, Scope, Send
from core.websockets import Frames, WebSocketDisconnect

# The older form of applications, which `app` may have too.
ASGIInstance = Callable[[Receive, Send], Awaitable[None]]
ASGI2App = Callable[[Scope], ASGIInstance]
ASGI3App = ASGIApp

TIMEOUT_WARNING = "You should not use the 'timeout' argument with the TestClient. There is no network to wait for."

Subprotocols = Sequence[str] | None


class WebSocketDenialResponse(httpx2.Response, WebSocketDisconnect):  # type: ignore[misc]  # Both define pickling.
    """Raised when the application refuses a websocket handshake with an HTTP response of its own."""


def _build_scope(request: httpx2.Request, owner: "_Caller") -> Scope:
    url = request.url
    raw_path = url.raw_path.partition(b"?")[0]
    return {
        "type": "http",
        "asgi": ASGI_VERSIONS,
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": url.query,
        "root_path": owner.root_path,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": owner.client,
        "server": [url.host, DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port],
        # Each request gets a shallow copy of the lifespan's state, as the specification says.
        "state": owner.app_state.copy(),
        "extensions": {"http.response.debug": {}, "http.response.trailers": {}},
    }


def _build_websocket_scope(request: httpx2.Request, owner: "_Caller") -> Scope:
    scope = _build_scope(request, owner)
    del scope["method"]
    offered = request.headers.get("sec-websocket-protocol", "")
    return {
        **scope,
        "type": "websocket",
        "scheme": SCHEMES["websocket", scope["scheme"] in ("https", "wss")],
        "subprotocols": [name.strip() for name in offered.split(",") if name.strip()],
        "extensions": {"websocket.http.response": {}},
    }


def _websocket_headers(headers: Any, subprotocols: Subprotocols) -> httpx2.Headers:
    offer = {} if subprotocols is None else {"sec-websocket-protocol": ", ".join(subprotocols)}
    handshake = {"connection": "upgrade", "sec-websocket-key": "testserver==", "sec-websocket-version": "13"}
    complete = httpx2.Headers(handshake | offer)
    complete.update(headers)
    return complete


def _build_response(exchange: HTTPExchange, request: httpx2.Request, stream: Any) -> httpx2.Response:
    status, headers, found = exchange.status or 500, exchange.headers, exchange.extensions
    response = httpx2.Response(status, headers=headers, stream=stream, request=request, extensions=found)
    for name, value in found.get("http.response.debug", {}).items():
        setattr(response, name, value)
    return response


class _Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A response body, pulled chunk by chunk, through the portal if there is one. The exchange goes on until it is closed."""

    def __init__(self, exchange: HTTPExchange, owner: "_Caller", resources: Any, portal: Any = None) -> None:
        self._exchange = exchange
        self._owner = owner
        self._resources = resources
        self._portal = portal

    def __iter__(self) -> Any:  # A generator; the base class promises an iterator of bytes.
        while (chunk := self._portal.call(self._exchange.next_chunk)) is not None:
            yield chunk

    async def __aiter__(self) -> Any:  # As above.
        while (chunk := await self._exchange.next_chunk()) is not None:
            yield chunk

    def abandon(self) -> None:
        """Close the body without waiting for background tasks."""
        self._exchange.abandoned = True
        self.close()

    def close(self) -> None:
        self._owner.open_bodies.discard(self)
        self._resources.close()
        self._owner.raise_error(self._exchange)

    async def aclose(self) -> None:
        await self._resources.aclose()
        self._owner.raise_error(self._exchange)


class _Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    def __init__(self, owner: Any) -> None:  # The client that it belongs to.
        self._owner = owner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        owner = self._owner
        exchange = HTTPExchange(owner.app, _build_scope(request, owner), *_request_body(request))
        with ExitStack() as stack:
            portal = stack.enter_context(owner._running_portal())
            stack.enter_context(portal.wrap_async_context_manager(exchange))
            owner.require_response(exchange)
            body = _Body(exchange, owner, stack.pop_all(), portal)
        # The client closes what its user does not.
        owner.open_bodies.add(body)
        return _build_response(exchange, request, body)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        owner = self._owner
        async with AsyncExitStack() as stack:
            exchange = HTTPExchange(owner.app, _build_scope(request, owner), *_request_body(request, stack))
            exchange.host = owner.tasks
            await stack.enter_async_context(exchange)
            owner.require_response(exchange)
            body = _Body(exchange, owner, stack.pop_all())
        return _build_response(exchange, request, body)


def _request_body(request: httpx2.Request, stack: AsyncExitStack | None = None) -> tuple[ReadChunk | None, bytes]:
    if isinstance(request.stream, httpx2.ByteStream):
        return None, request.read()
    # Multipart streams can be read either way; reading them synchronously leaves no asynchronous generator behind.
    if isinstance(request.stream, httpx2.SyncByteStream):
        chunks = iter(request.stream)

        async def read_chunk() -> bytes | None:
            return next(chunks, None)

        return read_chunk, b""
    arriving = aiter(request.stream)
    if stack is not None and hasattr(arriving, "aclose"):
        stack.push_async_callback(arriving.aclose)
    return functools.partial(anext, arriving, None), b""


class AsyncWebSocketTestSession(Frames):
    """A websocket of AsyncTestClient; entering it makes the handshake, leaving it closes with code 1000.

    Entering raises WebSocketDisconnect when the application closes instead of accepting and WebSocketDenialResponse when
    it answers the handshake with a response. Leaving raises what the application raised.
    """

    sent_as = "websocket.receive"

    def __init__(self, owner: "_Caller", request: httpx2.Request) -> None:
        self._exchange = WebSocketExchange(owner.app, _build_websocket_scope(request, owner))
        self._request = request

    async def __aenter__(self) -> Self:
        await self._exchange.__aenter__()
        if (denial := self._exchange.denial) is not None:
            await self._exchange.__aexit__(None, None, None)
            status, headers = denial["status"], denial.get("headers", [])
            raise WebSocketDenialResponse(status, headers=headers, content=denial["body"], request=self._request)
        self.accepted_subprotocol: str | None = self._exchange.accepted.get("subprotocol")
        self.extra_headers: list[tuple[bytes, bytes]] | None = self._exchange.accepted.get("headers")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._exchange.__aexit__(*exception)
        self._exchange.raise_error()

    async def send(self, message: Message) -> None:
        """Send a raw ASGI message to the application."""
        self._exchange.deliver(message)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self._exchange.disconnect(code, reason)

    async def receive(self) -> Message:
        """Return the application's next raw ASGI message; raises its error if it failed."""
        return await self._exchange.next_message()

    async def _receive_data(self, kind: str) -> str | bytes:
        message = await self.receive()
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(message.get("code") or 1000, message.get("reason") or "")
        data: str | bytes = message[kind]
        return data


class WebSocketTestSession:
    """A websocket of TestClient: what AsyncWebSocketTestSession has, its methods without `await`."""

    def __init__(self, session: AsyncWebSocketTestSession, open_portal: Callable[[], Any]) -> None:
        self._session = session
        self._open_portal = open_portal

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.portal: anyio.from_thread.BlockingPortal = stack.enter_context(self._open_portal())
            stack.enter_context(self.portal.wrap_async_context_manager(self._session))
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._resources.__exit__(*exception)

    def __getattr__(self, name: str) -> Any:  # Of the type that the session's attribute has.
        value = getattr(self._session, name)
        if not callable(value):
            return value
        return lambda *args, **options: self.portal.call(functools.partial(value, *args, **options))


class _Caller:
    """What both clients know of the application and of themselves, beside httpx2's own settings."""

    __test__ = False  # pytest collects classes of these names otherwise.

    def __init__(
        self,
        app: ASGI3App | ASGI2App,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        cookies: Any = None,  # Whatever httpx2 takes.
        headers: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        self.app = as_asgi3(app)
        self.app_state: dict[str, Any] = {}
        self.open_bodies: set[_Body] = set()
        self.raise_server_exceptions = raise_server_exceptions
        self.root_path = root_path
        self.client = client
        own = {"user-agent": "testclient", **{name.lower(): value for name, value in (headers or {}).items()}}
        settings: Any = {"headers": own, "cookies": cookies, "follow_redirects": follow_redirects}
        settings |= {"base_url": base_url, "transport": _Transport(self)}
        super().__init__(**settings)

    def raise_error(self, exchange: HTTPExchange) -> None:
        """Raise what the application raised, if that is wanted."""
        if self.raise_server_exceptions:
            exchange.raise_error()

    def require_response(self, exchange: HTTPExchange) -> None:
        """Raises the application's error, or ProtocolError if it returned without a response, if that is wanted."""
        if exchange.status is None and self.raise_server_exceptions:
            exchange.raise_error()
            raise ProtocolError("TestClient did not receive any response: it returned without sending one.")

    def _handshake(self: Any, url: str, subprotocols: Subprotocols, options: Any) -> AsyncWebSocketTestSession:
        options["headers"] = _websocket_headers(options.get("headers"), subprotocols)
        auth = options.pop("auth", None) or httpx2.Auth()
        flow = httpx2.BasicAuth(*auth) if isinstance(auth, tuple) else auth
        request = next(flow.auth_flow(self.build_request("GET", url, **options)))
        return AsyncWebSocketTestSession(self, request)


class TestClient(_Caller, httpx2.Client):
    """A synchronous client. `with client:` runs the application's lifespan, and keeps one event loop for every request;
    outside of it each request runs on a new loop, in a thread of its own.

    With `raise_server_exceptions` an unhandled error of the application is raised after the response's body was read.
    """

    def __init__(
        self,
        app: ASGI3App | ASGI2App,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        *settings: Any,  # As AsyncTestClient takes them: `cookies`, `headers`, `follow_redirects`, `client`.
        **options: Any,
    ) -> None:
        self.async_backend: dict[str, Any] = {"backend": backend, "backend_options": backend_options or {}}
        self.portal: anyio.from_thread.BlockingPortal | None = None
        super().__init__(app, base_url, raise_server_exceptions, root_path, *settings, **options)

    def request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Response:
        """Send a request, with httpx2's options. `timeout` has no effect in memory and warns."""
        if options.get("timeout", httpx2.USE_CLIENT_DEFAULT) is not httpx2.USE_CLIENT_DEFAULT:
            warnings.warn(TIMEOUT_WARNING, StarletteDeprecationWarning, 2)
        return super().request(method, url, **options)

    def websocket_connect(self, url: str, subprotocols: Subprotocols = None, **options: Any) -> WebSocketTestSession:
        """Return a session to enter with `with`; `options` are those of a GET request (`headers`, `params`, …)."""
        return WebSocketTestSession(self._handshake(url, subprotocols, options), self._running_portal)

    def __enter__(self) -> Self:
        self.app_state = {}
        with ExitStack() as stack:
            self.portal = stack.enter_context(anyio.from_thread.start_blocking_portal(**self.async_backend))
            stack.callback(setattr, self, "portal", None)
            stack.enter_context(self.portal.wrap_async_context_manager(Lifespan(self.app, self.app_state)))
            stack.callback(self._close_bodies)
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *exception: Any, **named: Any) -> None:
        self._resources.__exit__(*exception)

    def close(self) -> None:
        """Cancel the requests whose responses were not read to their end."""
        self._close_bodies()
        super().close()

    def _close_bodies(self) -> None:
        while self.open_bodies:
            self.open_bodies.pop().abandon()

    def _running_portal(self) -> AbstractContextManager[anyio.from_thread.BlockingPortal]:
        if self.portal is not None:
            return nullcontext(self.portal)
        return anyio.from_thread.start_blocking_portal(**self.async_backend)


class AsyncTestClient(_Caller, httpx2.AsyncClient):
    """TestClient for tests that are coroutines: the application runs on the caller's own event loop, asyncio or Trio.

    `async with client:` (or `async with client.lifespan():`) runs the application's lifespan; requests work without it.
    """

    tasks: anyio.abc.TaskGroup | None = None

    def websocket_connect(
        self, url: str, subprotocols: Subprotocols = None, **options: Any
    ) -> AsyncWebSocketTestSession:
        """Return a session to enter with `async with`; `options` are those of a GET request."""
        return self._handshake(url, subprotocols, options)

    def lifespan(self) -> Lifespan:
        """Return a context manager that starts the application up and shuts it down."""
        self.app_state = {}
        return Lifespan(self.app, self.app_state)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.lifespan())
            self.tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(self.tasks.cancel_scope.cancel)
            stack.callback(setattr, self, "tasks", None)
            self._resources = stack.pop_all()
        return self

    async def __aexit__(self, *exception: Any, **named: Any) -> None:

        # The caller's own exception is not passed in: a task group would wrap it in an exception group.
        await self._resources.aclose()

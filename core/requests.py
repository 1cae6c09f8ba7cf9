"""The connection as seen from the application: HTTPConnection for every scope, Request for HTTP.

What a request's parts cost is paid on first use. The body and the form belong to the connection rather than to one
Request object: they are kept in the scope, so that a middleware and the handler may both read them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator, Mapping
from http import HTTPStatus
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast
from weakref import ref

import anyio

from core._cookies import cookie_parser
from core._headers import Headers, encode_header_value, media_type_of
from core._urls import URL, URLPath
from core.datastructures import Address, FormData, QueryParams, State
from core.exceptions import HTTPException
from core.formparsers import FormParser, MultiPartException, MultiPartParser
from core.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    # Only the checkers know defaults of type variables before Python 3.13 (PEP 696).
    from typing_extensions import TypeVar as DefaultTypeVar

    StateT = DefaultTypeVar("StateT", default=State)
else:
    StateT = TypeVar("StateT")

__all__ = ["ClientDisconnect", "HTTPConnection", "InvalidJSON", "Request", "cookie_parser", "empty_receive"]

# A server push repeats those headers of the request on which the pushed response may depend.
SERVER_PUSH_HEADERS_TO_COPY = {"accept", "accept-encoding", "accept-language", "cache-control", "user-agent"}
BODY_KEY = "core.body"
STANDARD_LOADS = json.loads
SCAN: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # What reads the value, in C.


class ClientDisconnect(Exception):
    """The client went away before the body was complete, or before the response was sent."""


class InvalidJSON(HTTPException, json.JSONDecodeError):
    """The body is not JSON: answered with 400 inside an application, and a JSONDecodeError for those who catch that."""

    def __init__(self, error: ValueError | RecursionError) -> None:
        HTTPException.__init__(self, HTTPStatus.BAD_REQUEST, f"The body is not valid JSON: {error}")
        cause = error if isinstance(error, json.JSONDecodeError) else json.JSONDecodeError(str(error), "", 0)
        vars(self).update(vars(cause))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (json.JSONDecodeError(self.msg, self.doc, self.pos),)


async def empty_receive() -> NoReturn:
    raise RuntimeError("Receive channel has not been made available")


async def empty_send(message: Message) -> NoReturn:
    raise RuntimeError("Send channel has not been made available")


if TYPE_CHECKING:
    from functools import cached_property as lazy
else:

    class lazy:  # noqa: N801 - used as a decorator
        """functools' `cached_property` as it is since Python 3.12: without a lock."""

        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self.compute = compute
            self.__doc__ = compute.__doc__

        def __get__(self, instance: Any, owner: type) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self.compute.__name__] = self.compute(instance)
            return value


class HTTPConnection(Mapping[str, Any], Generic[StateT]):
    """A connection of either kind. As a mapping it is the ASGI scope."""

    def __init__(self, scope: Scope, receive: Receive | None = None) -> None:
        if scope["type"] not in ("http", "websocket"):
            raise AssertionError(f"A connection needs a scope of type http or websocket, not {scope['type']}.")
        self.scope = scope

    def __getitem__(self, key: str) -> Any:
        return self.scope[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scope)

    def __len__(self) -> int:
        return len(self.scope)

    # Two connections are never the same, even if their scopes compare equal.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def app(self) -> Any:
        """The application, which is of whatever class the program uses."""
        return self.scope["app"]

    @lazy
    def url(self) -> URL:
        return URL(scope=self.scope)

    @lazy
    def base_url(self) -> URL:
        """The address of the application's root, ending in a slash."""
        root = self.scope.get("app_root_path", self.scope.get("root_path", ""))
        return URL(scope={**self.scope, "path": root.rstrip("/") + "/", "query_string": b""})

    @lazy
    def headers(self) -> Headers:
        return Headers(raw=list(self.scope["headers"]))

    @lazy
    def query_params(self) -> QueryParams:
        return QueryParams(self.scope["query_string"])

    @property
    def path_params(self) -> dict[str, Any]:
        path_params: dict[str, Any] = self.scope.get("path_params") or {}
        return path_params

    @lazy
    def cookies(self) -> dict[str, str]:
        """The cookies of all Cookie headers (HTTP/2 may send several); the later of two of one name."""
        return cookie_parser("; ".join(self.headers.getlist("cookie")))

    @property
    def client(self) -> Address | None:
        client = self.scope.get("client")
        return None if client is None else Address(*client)

    @property
    def session(self) -> dict[str, Any]:
        session: dict[str, Any] = self._installed("session", "SessionMiddleware")
        if hasattr(session, "mark_accessed"):
            session.mark_accessed()
        return session

    @property
    def auth(self) -> Any:
        return self._installed("auth", "AuthenticationMiddleware")

    @property
    def user(self) -> Any:
        return self._installed("user", "AuthenticationMiddleware")

    @lazy
    def state(self) -> StateT:
        """What middleware and handlers keep for each other; starts with the lifespan's state."""
        return cast(StateT, State(self.scope.setdefault("state", {})))

    def url_for(self, name: str, /, **path_params: Any) -> URL:
        """The absolute URL of a route. Raises NoMatchFound for an unknown one, RuntimeError outside an application."""
        router = self.scope.get("router") or self.scope.get("app")
        if router is None:
            raise RuntimeError("The `url_for` method can only be used inside a Starlette application or with a router.")
        path: URLPath = router.url_path_for(name, **path_params)
        return path.make_absolute_url(self.base_url)

    def _installed(self, key: str, middleware: str) -> Any:
        if key not in self.scope:
            raise AssertionError(f"{middleware} must be installed to access request.{key}")
        return self.scope[key]


class Incoming:
    """What has been received of a request: one object for each connection, kept in its scope."""

    body: bytes | None = None
    form: FormData | None = None
    is_consumed = False
    is_disconnected = False

    def __init__(self, receive: Receive) -> None:
        self.pending: list[Message] = []
        self._owner: ref[Any] | None = None
        self._function: Any = receive
        if isinstance(receive, MethodType) and hasattr(receive.__self__, "__weakref__"):
            # A server's method belongs to an object that holds the scope, which holds this: such a circle, with the body
            # in it, would wait for the garbage collector.
            self._owner, self._function = ref(receive.__self__), receive.__func__

    @property
    def receive(self) -> Receive:
        owner = self._owner and self._owner()
        return self._function if owner is None else MethodType(self._function, owner)

    def take(self, message: Message) -> bytes:
        """The piece of the body that a message has. Raises ClientDisconnect."""
        if message["type"] == "http.disconnect":
            self.is_disconnected = True
            raise ClientDisconnect()
        self.is_consumed = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece

    async def poll_disconnect(self) -> bool:
        """Look at the next message without waiting. One that carries a piece of the body is kept for its reader."""
        is_uploading = bool(self.pending) and self.pending[-1].get("more_body", False)
        if not self.is_disconnected and not is_uploading:
            # Inside a cancelled scope receiving either returns what is there or gives up at once.
            with anyio.CancelScope() as scope:
                scope.cancel()
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    self.is_disconnected = True
                else:
                    self.pending.append(message)
        return self.is_disconnected

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        if self.body is not None:
            yield self.body
        elif self.is_consumed:
            raise RuntimeError("Stream consumed")
        while not self.is_consumed:
            chunk = self.take(self.pending.pop(0) if self.pending else await self.receive())
            if chunk:
                yield chunk
        yield b""

    async def read_single(self) -> bytes | None:
        """The body if it is there or comes in a single message, as it does mostly. Otherwise nothing is lost."""
        if self.body is None and not self.is_consumed and not self.pending:
            message = await self.receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                self.body = self.take(message)
            else:
                self.pending.append(message)
        return self.body

    async def read(self) -> bytes:
        if await self.read_single() is None:
            self.body = b"".join([chunk async for chunk in self.chunks()])
        return self.body or b""


class Request(HTTPConnection[StateT]):
    """An HTTP request. All Request objects over one scope share its body and its form, as long as they receive from
    the same place: one that was given another `receive` reads what that one sends. A callable that passes messages on
    unchanged says so by `__wrapped__`, the callable it reads from; a method, by that attribute of its object.
    """

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        if scope["type"] != "http":
            raise AssertionError(f"A request needs a scope of type http, not {scope['type']}.")
        self.scope = scope
        self._receive = receive
        self._send = send

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def receive(self) -> Receive:
        return self._receive

    def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces, then b"". Raises ClientDisconnect, and RuntimeError if somebody has streamed it before."""
        return self._incoming.chunks()

    def body(self) -> Coroutine[Any, Any, bytes]:
        """The whole body. Raises ClientDisconnect, and RuntimeError after stream()."""
        return self._incoming.read()

    async def json(self) -> Any:
        """The body as JSON. Invalid JSON raises JSONDecodeError, which is answered with 400 inside an application."""
        if not hasattr(self, "_json"):
            body = await self.body()
            try:
                self._json = read_json(body)
            except (ValueError, RecursionError) as error:
                if "app" in self.scope:
                    raise InvalidJSON(error) from error
                raise
        return self._json

    def form(self, *, max_files: float = 1000, max_fields: float = 1000, max_part_size: int = 2**20) -> PendingForm:
        """The form: `await request.form()`, or `async with request.form() as form` to close its files at the end.

        Empty if the body is no form. One that exceeds a limit or is malformed is answered with 400 inside an
        application; elsewhere it raises MultiPartException. The form is read once, with the limits of the first call.
        """
        return PendingForm(self, {"max_files": max_files, "max_fields": max_fields, "max_part_size": max_part_size})

    async def close(self) -> None:
        """Close the files of the form, if it was read."""
        if self._incoming.form is not None:
            await self._incoming.form.close()

    async def is_disconnected(self) -> bool:
        """Whether the client has gone, as far as is known at this moment."""
        return await self._incoming.poll_disconnect()

    async def send_push_promise(self, path: str) -> None:
        """Ask the server to push this path to the client (HTTP/2). Does nothing if the server cannot."""
        if "http.response.push" in self.scope.get("extensions", {}):
            headers = [field for field in self.headers.raw if field[0].decode("latin-1") in SERVER_PUSH_HEADERS_TO_COPY]
            await self._send({"type": "http.response.push", "path": path, "headers": headers})

    async def send_early_hints(self, link: str, /, *more: str) -> None:
        """Send `Link` values ahead of the response (RFC 8297). Does nothing if the server cannot."""
        if "http.response.early_hint" in self.scope.get("extensions", {}):
            links = [encode_header_value(value) for value in (link, *more)]
            await self._send({"type": "http.response.early_hint", "links": links})

    @lazy
    def _incoming(self) -> Incoming:
        incoming: Incoming | None = self.scope.get(BODY_KEY)
        if incoming is None or not reads_from(self._receive, incoming.receive):
            incoming = self.scope[BODY_KEY] = Incoming(self._receive)
        return incoming

    async def _read_form(self, limits: Mapping[str, Any]) -> FormData:
        incoming = self._incoming
        if incoming.form is None:
            try:
                incoming.form = await self._parse_form(incoming, limits)
            except MultiPartException as error:
                if "app" in self.scope:
                    raise HTTPException(HTTPStatus.BAD_REQUEST, error.message) from error
                raise
        return incoming.form

    async def _parse_form(self, incoming: Incoming, limits: Mapping[str, Any]) -> FormData:
        content_type = media_type_of(self.headers.get("content-type", ""))
        if content_type == "multipart/form-data":
            return await MultiPartParser(self.headers, self.stream(), **limits).parse(await incoming.read_single())
        if content_type == "application/x-www-form-urlencoded":
            fields, size = limits["max_fields"], limits["max_part_size"]
            parser = FormParser(self.headers, self.stream(), max_fields=fields, max_part_size=size)
            if await incoming.read_single() is None:
                incoming.body = await parser.read()
            return parser.parse_body(await incoming.read())
        return FormData()


class PendingForm:
    """A form that is read when it is awaited or entered."""

    __slots__ = ("_limits", "_request")

    def __init__(self, request: Request[Any], limits: Mapping[str, Any]) -> None:
        self._request = request
        self._limits = limits

    def __await__(self) -> Generator[Any, None, FormData]:
        return self._request._read_form(self._limits).__await__()

    def __aenter__(self) -> Coroutine[Any, Any, FormData]:
        return self._request._read_form(self._limits)

    def __aexit__(self, *exception: object) -> Coroutine[Any, Any, None]:
        return self._request.close()


def read_json(content: str | bytes) -> Any:
    """What `json.loads` gives, and raises; most often without what that does around reading, which takes three times as long."""
    # A character of ASCII, and no half of one of UTF-16, is UTF-8.
    if isinstance(content, bytes) and len(content) > 1 and 0 < content[0] < 128 and content[1]:
        content = content.decode("utf-8", "surrogatepass")
    # Looked up at each call, because programs replace `json.loads`.
    if isinstance(content, str) and json.loads is STANDARD_LOADS:
        try:
            value, end = SCAN(content, 0)
            if end == len(content):
                return value
        except (StopIteration, ValueError):
            pass  # `json.loads` says what is wrong.
    return json.loads(content)


def reads_from(receive: Any, source: Receive) -> bool:
    """Whether the callable is this source, or passes on what comes from it. One without a channel takes any source."""
    while receive != source:
        if receive is empty_receive:
            return True
        owner = getattr(receive, "__self__", receive)
        receive = getattr(receive, "__wrapped__", None) or getattr(owner, "__wrapped__", None)
        if receive is None:
            return False
    return True

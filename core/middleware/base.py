"""Middleware written as one function of a request and the rest of the application.

The rest of the application runs in a task of its own, because it may hold task groups and timeouts open while the
function goes on: on one task those would cancel the function instead. What it set in context variables until its
response began is carried over to the function, as if it had been called. It receives from the server directly, so that
it learns of a disconnect; and it is held at the last message of its response until the outer response has been sent,
so that its background tasks run afterwards, unless the response says that it has none.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import anyio.abc

from core._tracked_send import HoldingSend
from core._utils import create_collapsing_task_group
from core.requests import ClientDisconnect, Request
from core.responses import Response
from core.types import ASGIApp, Message, Receive, Scope, Send

RequestResponseEndpoint = Callable[[Request], Awaitable[Response]]
DispatchFunction = Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]

BODY_MESSAGES = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend", "http.response.trailers")
MISSING: Any = object()


class BaseHTTPMiddleware:
    """Calls `dispatch(request, call_next)`, given or defined by a subclass, for every HTTP request."""

    def __init__(self, app: ASGIApp, dispatch: DispatchFunction | None = None) -> None:
        self.app = app
        self.dispatch_func: DispatchFunction = self.dispatch if dispatch is None else dispatch

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer the request, usually with the response of `call_next(request)`."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if is_on_asyncio():
            failure = await self._answer(scope, receive, send, start_task)
        else:
            async with create_collapsing_task_group() as group:
                failure = await self._answer(scope, receive, send, lambda run: start_in_group(run, group))
        # Raised out here, an exception keeps its own context and is never wrapped in a group.
        if failure is not None:
            raise failure

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, start: Callable[[InnerRun], None]
    ) -> BaseException | None:
        runs: list[InnerRun] = []

        async def call_next(request: Request) -> Response:
            run = InnerRun(self.app, request, send)
            runs.append(run)
            start(run)
            return await run.response()

        try:
            response = await self.dispatch_func(DispatchRequest(scope, receive, send), call_next)
            await response(scope, receive, send)
            for run in runs:
                await run.end()
        except Exception as error:
            await cancel(runs)
            return error
        except BaseException:
            await cancel(runs)
            raise
        return next((run.failure for run in runs if run.failure), None)


def is_on_asyncio() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


class TaskEvent:
    """An event with one waiter, which is all that is needed here."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def set(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    def wait(self) -> Awaitable[None]:
        return self._future


def start_task(run: InnerRun) -> None:
    """Asyncio's own tasks and futures, because AnyIO's task groups and events cost four times as much."""
    run.new_event = TaskEvent
    run.cancel = asyncio.get_running_loop().create_task(run.run()).cancel


def start_in_group(run: InnerRun, group: anyio.abc.TaskGroup) -> None:
    scope = anyio.CancelScope()
    run.cancel = scope.cancel

    async def run_in_scope() -> None:
        with scope:
            await run.run()

    group.start_soon(run_in_scope)


async def cancel(runs: list[InnerRun]) -> None:
    """Cancel them and wait until they have ended, however urgently this task is cancelled itself."""
    for run in runs:
        run.cancel()
    with anyio.CancelScope(shield=True):
        for run in runs:
            await run.end()


class InnerRun(HoldingSend):
    """One run of the rest of the application, and the messages it hands over one at a time."""

    # How events are made, and how the task is ended: said by what starts it.
    new_event: Callable[[], Any] = anyio.Event
    cancel: Callable[[], Any]

    def __init__(self, app: ASGIApp, request: Request, send: Send) -> None:
        self.failure: BaseException | None = None
        self.is_released = False
        self._app = app
        self._request = request
        self._outer_send = send
        self._messages: list[Message] = []
        self._has_trailers = self._is_complete = self._is_finished = False
        self._context: contextvars.Context
        # Events cost more than all else here: each exists only once somebody waits for it. News are waited for before all else.
        self._news: Any
        self._permission: Any = None
        self._replay: Message | None = None
        self._incoming = request._incoming
        if self._incoming.body is not None or self._incoming.is_consumed:
            self._replay = {"type": "http.request", "body": self._incoming.body or b"", "more_body": False}
        elif isinstance(request, DispatchRequest):
            request.is_passed_on_unread = True
        if self._incoming.body is not None or not self._incoming.is_consumed:
            # Requests further inside share the body that has been or will be read.
            self.__wrapped__ = request.receive

    async def run(self) -> None:
        """Run to the end. Nothing but a cancellation is raised here: what fails is kept for whoever waits."""
        try:
            await self._app(self._request.scope, self.receive, self)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            if not _stems_from_release(error):
                self.failure = error
        finally:
            self._is_finished = True
            self._news.set()

    async def response(self) -> InnerResponse:
        """The response as soon as it begins. Raises what the application raised instead of beginning one."""
        try:
            while not self._messages and not self._is_finished:
                await self._wait_for_news()
        except BaseException:
            await cancel([self])
            raise
        if not self._messages:
            self.raise_failure()
            raise RuntimeError("No response returned.")
        adopt_context(self._context)
        return InnerResponse(self, self._messages.pop(0))

    async def next_message(self) -> Message | None:
        """The next message; None after the last one. Raises what the application raises on the way."""
        if not self._messages and not self._is_complete:
            if self._permission is not None:
                self._permission.set()
            while not self._messages and not self._is_finished:
                await self._wait_for_news()
        if self._messages:
            return self._messages.pop(0)
        self.raise_failure()
        return None

    async def end(self) -> None:
        """Wait for the end, now that the outer response was sent and nobody waits for messages any more."""
        self.is_released = True
        if self._permission is not None:
            self._permission.set()
        while not self._is_finished:
            await self._wait_for_news()

    async def receive(self) -> Message:
        """What the rest of the application receives.

        If `dispatch` has read the whole body, that body again; if it has consumed the stream, an empty body; then, and
        otherwise from the beginning, what comes from outside. Once the outer response was sent, the client has gone.
        """
        incoming = self._incoming
        if self._replay is not None:
            message, self._replay = self._replay, None
            return message
        if self.is_released or incoming.is_disconnected:
            return {"type": "http.disconnect"}
        message = incoming.pending.pop(0) if incoming.pending else await incoming.receive()
        with suppress(ClientDisconnect):
            incoming.take(message)
        return message

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._context = contextvars.copy_context()
            self._has_trailers = message.get("trailers", False)
            self._messages.append(message)
            self._news.set()
        elif kind not in BODY_MESSAGES:
            await self._outer_send(message)
        else:
            self._is_complete = self._is_last(message)
            if not self.is_released:
                self._messages.append(message)
                self._news.set()
                if not (self._is_complete and self.nothing_follows):
                    self._permission = self.new_event()
                    await self._permission.wait()
            if self.is_released and not self._is_complete:
                raise ResponseDropped

    async def _wait_for_news(self) -> None:
        self._news = self.new_event()
        await self._news.wait()

    def _is_last(self, message: Message) -> bool:
        if message["type"] == "http.response.trailers":
            return not message.get("more_trailers", False)
        return not message.get("more_body", False) and not self._has_trailers

    def raise_failure(self) -> None:
        """Raise what the application raised, once."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure


class ResponseDropped(OSError):
    """Raised to an application whose response nobody wants any more, as a server does when the client has gone."""


def _stems_from_release(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ResponseDropped):
            return True
        if isinstance(error, BaseExceptionGroup):
            return any(_stems_from_release(inner) for inner in error.exceptions)
        error = error.__cause__ or error.__context__
    return False


class DispatchRequest(Request):
    """The request that `dispatch` gets. Its stream is spent once the rest of the application has read the body."""

    is_passed_on_unread = False

    def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces, then b"". Raises RuntimeError if it was streamed before, here or further inside."""
        if self.is_passed_on_unread and self._incoming.is_consumed:
            raise RuntimeError("Stream consumed")
        return super().stream()


class InnerResponse(Response):
    """The response of the rest of the application, whose body is still to come."""

    def __init__(self, run: InnerRun, start: Message) -> None:
        self.status_code = start["status"]
        self.raw_headers = list(start.get("headers", ()))
        self.background = None
        self._run = run
        self._start = start
        self._iterator: AsyncIterator[Any] | None = None

    @property
    def body_iterator(self) -> AsyncIterator[Any]:
        """Chunks are bytes; a server extension's message, such as pathsend, passes through as it is."""
        # Made when it is asked for: one that is never used would keep this in a circle for the garbage collector.
        if self._iterator is None:
            self._iterator = self._chunks()
        return self._iterator

    @body_iterator.setter
    def body_iterator(self, iterator: AsyncIterator[Any]) -> None:
        self._iterator = iterator

    async def _chunks(self) -> AsyncIterator[Any]:
        while (message := await self._run.next_message()) is not None:
            if message["type"] != "http.response.body":
                yield message
            elif message.get("body"):
                yield message["body"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {**self._start, "status": self.status_code, "headers": self.raw_headers}
        if isinstance(send, InnerRun) and self._iterator is None:
            # Another of these middlewares takes the messages as they are.
            send.nothing_follows = self._run.nothing_follows and self.background is None
            await send(start)
            while (message := await self._run.next_message()) is not None:
                await send(message)
        else:
            await send(start)
            await self._stream(send)
        if self.background is not None:
            await self.background()

    async def _stream(self, send: Send) -> None:
        end = {"type": "http.response.body", "body": b"", "more_body": False}
        is_complete = False
        async for chunk in self.body_iterator:
            if not isinstance(chunk, dict):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                continue
            if chunk["type"] == "http.response.trailers" and not is_complete:
                await send(end)
            is_complete = True
            await send(chunk)
        if not is_complete:
            await send(end)


def adopt_context(context: contextvars.Context) -> None:
    """Set the context variables to what they are in another context, which began as a copy of this one."""
    for variable, value in context.items():
        if variable.get(MISSING) is not value:
            variable.set(value)

"""Starting and stopping applications: the ASGI lifespan protocol around a context manager."""

from __future__ import annotations

import inspect
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from typing import Any

from core.exceptions import StarletteDeprecationWarning
from core.types import Receive, Scope, Send

# An application's own class and the type of its state are the application's business.
LifespanContext = Callable[[Any], AbstractAsyncContextManager[Any]]


def as_lifespan_context(lifespan: Any) -> LifespanContext:
    """The lifespan as a function from the application to a context manager; generator functions are deprecated."""
    if lifespan is None:
        return lambda app: nullcontext()
    is_async = inspect.isasyncgenfunction(lifespan)
    if not is_async and not inspect.isgeneratorfunction(lifespan):
        context: LifespanContext = lifespan
        return context
    kind = "async generator" if is_async else "generator"
    advice = f"{kind} function lifespans are deprecated, use an @contextlib.asynccontextmanager function instead"
    warnings.warn(advice, StarletteDeprecationWarning, stacklevel=3)
    return asynccontextmanager(lifespan) if is_async else _as_async(contextmanager(lifespan))


def _as_async(context: Callable[[Any], Any]) -> LifespanContext:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[Any]:
        with context(app) as state:
            yield state

    return lifespan


async def run_lifespan(context: LifespanContext, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one startup and one shutdown; what fails is reported to the server with its traceback, and raised."""
    phase = "startup"
    await receive()
    try:
        async with context(scope.get("app")) as state:
            if state is not None and "state" not in scope:
                raise RuntimeError('The server does not support "state" in the lifespan scope.')
            scope.get("state", {}).update(state or {})
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
    except BaseException:
        await send({"type": f"lifespan.{phase}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})


def compose_lifespans(own: LifespanContext, routes: Iterable[object]) -> LifespanContext:
    """The application's own lifespan, and inside it those of the applications mounted in its routes.

    They stop in reverse order; when one fails to start, those that have started are stopped. Where they yield state
    under one name, the outer application's value stays.
    """

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[dict[str, Any] | None]:
        async with AsyncExitStack() as stack:
            states = [await stack.enter_async_context(own(app))]
            for mounted, context in _mounted_lifespans(routes, app, {id(app)}):
                states.append(await stack.enter_async_context(context(mounted)))
            merged = {key: value for state in reversed(states) for key, value in (state or {}).items()}
            yield merged or None

    return lifespan


def _mounted_lifespans(
    routes: Iterable[object], app: object, seen: set[int]
) -> Iterator[tuple[object, LifespanContext]]:
    for route in routes:
        mounted = getattr(route, "mounted_app", None)
        router = getattr(mounted, "router", mounted)
        if router is None or id(router) in seen or not hasattr(router, "lifespan_context"):
            continue
        seen.add(id(router))
        # A bare router has no application of its own: its lifespan belongs to the application around it.
        owner = app if router is mounted else mounted
        yield owner, router.lifespan_context
        yield from _mounted_lifespans(router.routes, owner, seen)

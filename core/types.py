"""The shapes of ASGI 3.0 and of the callables that applications hand to the toolkit.

See https://asgi.readthedocs.io/en/latest/specs/main.html for what scopes and messages contain.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from core.requests import Request
    from core.responses import Response
    from core.websockets import WebSocket

AppType = TypeVar("AppType")

# The values of scopes and messages depend on their "type" key, which no static type can follow: hence Any.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

StatelessLifespan = Callable[[AppType], AbstractAsyncContextManager[None]]
StatefulLifespan = Callable[[AppType], AbstractAsyncContextManager[Mapping[str, Any]]]
Lifespan = StatelessLifespan[AppType] | StatefulLifespan[AppType]

# Handlers are registered by exception class and written for that class: the parameter is contravariant, hence Any.
HTTPExceptionHandler = Callable[["Request", Any], "Response | Awaitable[Response]"]
WebSocketExceptionHandler = Callable[["WebSocket", Any], Awaitable[None]]
ExceptionHandler = HTTPExceptionHandler | WebSocketExceptionHandler

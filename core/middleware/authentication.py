"""Puts the user and the credentials of each connection into its scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, UnauthenticatedUser
from core.requests import HTTPConnection
from core.responses import PlainTextResponse, Response
from core.types import ASGIApp, Receive, Scope, Send
from core.websockets import WebSocketClose


@dataclass(eq=False)
class AuthenticationMiddleware:
    """Asks the backend about each connection; `on_error` answers those whose credentials are wrong."""

    app: ASGIApp
    backend: AuthenticationBackend
    on_error: Callable[[HTTPConnection, AuthenticationError], Response] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        connection = HTTPConnection(scope)
        try:
            found = await self.backend.authenticate(connection)
        except AuthenticationError as error:
            answer = self.on_error or self.default_on_error
            refusal = WebSocketClose() if scope["type"] == "websocket" else answer(connection, error)
            return await refusal(scope, receive, send)
        scope["auth"], scope["user"] = (AuthCredentials(), UnauthenticatedUser()) if found is None else found
        return await self.app(scope, receive, send)

    @staticmethod
    def default_on_error(conn: HTTPConnection, exc: Exception) -> Response:
        """A plain 400 with the message of the error."""
        return PlainTextResponse(str(exc), status_code=400)

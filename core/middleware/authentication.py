"""Puts the user and the credentials of each connection into its scope."""

from __future__ import annotations

from collections.abc import Callable

from core.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, UnauthenticatedUser
from core.requests import HTTPConnection
from core.responses import PlainTextResponse, Response
from core.types import ASGIApp, Receive, Scope, Send
from core.websockets import WebSocketClose


class AuthenticationMiddleware:
    """Asks the backend about each connection; `on_error` answers those whose credentials are wrong."""

    def __init__(
        self,
        app: ASGIApp,
        backend: AuthenticationBackend,
        on_error: Callable[[HTTPConnection, AuthenticationError], Response] | None = None,
    ) -> None:
        self.app = app
        self.backend = backend
        self.on_error = self.default_on_error if on_error is None else on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            found = await self.backend.authenticate(connection)
        except AuthenticationError as error:
            refusal = WebSocketClose() if scope["type"] == "websocket" else self.on_error(connection, error)
            await refusal(scope, receive, send)
            return
        scope["auth"], scope["user"] = (AuthCredentials(), UnauthenticatedUser()) if found is None else found
        await self.app(scope, receive, send)

    @staticmethod
    def default_on_error(conn: HTTPConnection, exc: Exception) -> Response:
        """A plain 400 with the message of the error."""
        return PlainTextResponse(str(exc), status_code=400)

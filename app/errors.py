"""Refusals and failures, shown as pages to people and as problem documents (RFC 9457) to programs."""

from typing import Any

import structlog
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from app.language import gettext as _
from app.outages import DRIVER_ERRORS, is_outage
from app.templates import render
from core.exceptions import HTTPException
from core.middleware.requestid import request_id
from core.problems import ProblemHandler
from core.requests import Request
from core.responses import Response
from core.types import HTTPExceptionHandler
from core.websockets import WebSocket, WebSocketState

log = structlog.get_logger(__name__)

API = ("/api", "/graphql")
BELOW_API = tuple(f"{path}/" for path in API)
# Seconds after which a client may ask again. Most outages are a restart or a failover.
RETRY_AFTER = "2"
UNSTORABLE = "22021"  # PostgreSQL's code for character_not_in_repertoire.
INTERNAL_ERROR = 1011  # A websocket's close code (RFC 6455, section 7.4.1).
PAGES = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503})


def is_for_programs(path: str) -> bool:
    """Whether `path` is one of those that programs ask."""
    return path in API or path.startswith(BELOW_API)


class Refusal(HTTPException):
    """The product says no. Subclasses are named as the sentence they say, with a status and a message for the person."""

    status_code = 422

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(self.status_code, message, headers)

    @property
    def message(self) -> str:
        return self.detail


def exception_handlers() -> dict[int | type[Exception], HTTPExceptionHandler]:
    """The application's handlers: every error that anybody meets goes through here."""
    answer = ProblemHandler(page=error_page, api=API)

    async def note_and_answer(request: Request, error: Exception) -> Response:
        if is_outage(error):
            unavailable: Response = await answer_database(request, error)
            return unavailable
        log.error("request.failed", path=request.scope["path"], exc_info=error)
        return await answer(request, error)

    async def answer_database(request: Request, error: Exception) -> Any:  # Any: a websocket's is None.
        """Raises what is neither an outage nor the asker's own text, for the handler above."""
        if _is_unstorable(error) and not isinstance(request, WebSocket):
            return await answer(
                request, HTTPException(400, "A text has a character that cannot be stored, such as NUL.")
            )
        if not is_outage(error):
            raise error
        # No traceback: there is one of these for each request, until the database is back.
        log.warning("request.unavailable", path=request.scope["path"], reason=_first_line(error))
        if isinstance(request, WebSocket) and request.application_state is not WebSocketState.CONNECTING:
            await request.close(INTERNAL_ERROR)  # Its client comes back, and is told what it missed.
            return None
        return await answer(request, HTTPException(503, headers={"retry-after": RETRY_AFTER}))

    outages = dict.fromkeys((SQLAlchemyError, OSError, *DRIVER_ERRORS), answer_database)
    return {HTTPException: answer, **outages, Exception: note_and_answer}


def _is_unstorable(error: Exception) -> bool:
    """Whether the database was asked for a text that its encoding cannot hold. Forms refuse those; paths do not know them."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) == UNSTORABLE


def _first_line(error: Exception) -> str:
    """The kind of the failure and what it says, without the statement that SQLAlchemy adds below."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return f"{type(error).__name__}: {said[0] if said else ''}"[:200]


def error_page(request: Request, error: HTTPException) -> Response:
    """The page of an error: what happened, the way out, and for a failure the id under which the log has the rest."""
    headers = {"cache-control": "no-store", **(error.headers or {})}
    if error.status_code < 400:  # A dependency that sends people on raises a redirect: it has no page of its own.
        return Response(status_code=error.status_code, headers=headers)
    if error.status_code >= 500 or _is_person_gone(request):  # This page names nobody.
        request.state.user = request.state.scope = None
    return render(
        request,
        f"errors/{_page_for(error.status_code)}.html",
        status_code=error.status_code,
        headers=headers,
        detail=_(error.detail) if isinstance(error, Refusal) else None,
        request_id=request_id(request),
        retry_after=headers.get("retry-after"),
    )


def _is_person_gone(request: Request) -> bool:
    """Whether a rollback has expired what the request knew of its person, with nobody left to load it again."""
    user = getattr(request.state, "user", None)
    return user is not None and inspect(user).expired


def _page_for(status_code: int) -> int:
    if status_code in PAGES:
        return status_code
    return 400 if status_code < 500 else 500

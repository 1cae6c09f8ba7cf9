"""Refusals and failures, shown as pages to people and as problem documents (RFC 9457) to programs."""

import structlog

from app.language import gettext as _
from core.exceptions import HTTPException
from core.middleware.requestid import request_id
from core.problems import problem_response
from core.requests import Request
from core.responses import Response
from core.types import HTTPExceptionHandler

log = structlog.get_logger(__name__)

PAGES = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422, 429, 500, 503})


class Refusal(HTTPException):
    """The product says no. Subclasses are named as the sentence they say, with a status and a message for the person."""

    status: int = 422

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(self.status, message, headers)

    @property
    def message(self) -> str:
        return self.detail


def exception_handlers() -> dict[int | type[Exception], HTTPExceptionHandler]:
    """The application's handlers: every error a person can meet goes through here."""
    return {HTTPException: show_refusal, Exception: show_failure}


async def show_refusal(request: Request, error: Exception) -> Response:
    """Answer an HTTPException with the page or the problem document of its status."""
    assert isinstance(error, HTTPException)
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    return _answer(request, error.status_code, detail=error.detail, headers=dict(error.headers or {}))


async def show_failure(request: Request, error: Exception) -> Response:
    """Answer a bug: the request id, which the log has beside the traceback, and nothing else."""
    log.error("request.failed", path=request.scope.get("path"), exc_info=error)
    return _answer(request, 500, detail="", headers={})


def wants_document(request: Request) -> bool:
    """Whether the client is a program: it asks for the API, or prefers JSON to HTML."""
    if request.scope["path"].startswith("/api/"):
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def _answer(request: Request, status_code: int, *, detail: str, headers: dict[str, str]) -> Response:
    headers.setdefault("cache-control", "no-store")
    if wants_document(request):
        return problem_response(request, status_code, detail=detail, headers=headers)
    from app.templates import render  # Templates import the policy, which features' errors are built on.

    return render(
        request,
        f"errors/{status_code if status_code in PAGES else 400 if status_code < 500 else 500}.html",
        status_code=status_code,
        headers=headers,
        detail=_(detail) if detail else None,
        request_id=request_id(request),
        retry_after=headers.get("retry-after"),
    )

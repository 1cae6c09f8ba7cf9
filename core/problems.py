"""Problem details for HTTP APIs (RFC 9457): one JSON document for every refusal, or the product's page for a browser."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from core._accept import weights_of
from core.exceptions import REASON_PHRASES, HTTPException
from core.requests import Request
from core.responses import Response

PROBLEM_MEDIA_TYPE = "application/problem+json"
JSON_TYPES = (PROBLEM_MEDIA_TYPE, "application/json")

Page = Callable[[Request, HTTPException], Response | Awaitable[Response]]


class Problem(HTTPException):
    """A refusal with a problem document: `raise Problem(409, "The name is taken.", type="/problems/name-taken")`.

    `type` is a URI reference that identifies the kind of problem, `title` its short name (the status's phrase by default),
    `extensions` further members of the document, such as its `instance`.
    """

    def __init__(
        self,
        status_code: int,
        detail: str | None = None,
        *,
        title: str | None = None,
        type: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(status_code, detail, headers)
        self.title = title
        self.type = type
        self.extensions = extensions


class InvalidInput(Problem):
    """Values of a request that were refused, all of them, one in each of `errors`, with its JSON pointer."""

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(422, "Some values of the request are not valid.", title="Invalid input", errors=list(errors))


class ProblemResponse(Response):
    """A problem document as a response."""

    media_type = PROBLEM_MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode()


def problem_document(error: HTTPException) -> dict[str, Any]:
    """The members of a refusal's document. `detail` is left out where it would only repeat the title."""
    title = getattr(error, "title", None) or phrase_of(error.status_code)
    document = {"type": getattr(error, "type", "about:blank"), "title": title, "status": error.status_code}
    if error.detail and error.detail != title:
        document["detail"] = error.detail

    extensions: dict[str, Any] = getattr(error, "extensions", {})
    return document | {name: value for name, value in extensions.items() if name not in document}


def phrase_of(status_code: int) -> str:
    """The registered phrase of a status code, or its number."""
    return REASON_PHRASES.get(status_code) or f"Status {status_code}"


def problem_response(error: HTTPException) -> Response:
    """A refusal as a problem document, with the refusal's own headers (`Retry-After`, `Allow`, `WWW-Authenticate`)."""
    if error.status_code in {204, 304} or error.status_code < 200:
        return Response(status_code=error.status_code, headers=error.headers)
    return ProblemResponse(problem_document(error), status_code=error.status_code, headers=error.headers)


class ProblemHandler:
    """The exception handler of an application with pages and an API, for `HTTPException` and for `Exception`.

    Paths below `api` always get a problem document, everything else what its `Accept` prefers: `page(request, error)` for a
    browser, the document for a program. An unexpected exception is a bare 500 that carries the request's id, nothing more.

        problems = ProblemHandler(page=render_error, api=["/api"])
        Starlette(routes, exception_handlers={HTTPException: problems, Exception: problems})
    """

    def __init__(self, page: Page | None = None, api: Sequence[str] = ("/api",)) -> None:
        self.page = page
        self.api = tuple(prefix.rstrip("/") for prefix in api)

    async def __call__(self, request: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, HTTPException) else unexpected(request)
        if self.page is None or self.is_api(request) or not prefers_html(request.headers.get("accept", "")):
            return problem_response(refusal)
        answer = self.page(request, refusal)
        return await answer if inspect.isawaitable(answer) else answer

    def is_api(self, request: Request) -> bool:
        """Whether a request belongs to the API, by its path. Unknown paths below it are its own as well."""
        path: str = request.scope["path"]
        return any(path == prefix or path.startswith(prefix + "/") for prefix in self.api)


def unexpected(request: Request) -> Problem:
    """The refusal that an unexpected exception becomes. It says nothing of the exception, only the id to look it up by."""
    known = {"request_id": request.scope["request_id"]} if "request_id" in request.scope else {}
    return Problem(500, "Something went wrong on our side.", **known)


def prefers_html(accept: str) -> bool:
    """Whether a client takes HTML at least as gladly as JSON (RFC 9110, section 12.5.1). One that says nothing does."""
    ranges = accept_ranges(accept)
    html = quality(ranges, "text/html")
    return html > 0 and html >= max(quality(ranges, media_type) for media_type in JSON_TYPES)


def accept_ranges(accept: str) -> Mapping[str, float]:
    """The media ranges of an `Accept` header with their weights; a header that is missing accepts everything."""
    return weights_of(accept) or {"*/*": 1.0}


def quality(ranges: Mapping[str, float], media_type: str) -> float:
    """The weight of a media type: that of the most specific range which names it."""
    for media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0

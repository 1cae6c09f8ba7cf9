"""The OpenAPI document of the product's API: what the routes and their signatures say, and what the layers around them add."""

import sys
from typing import Any

from app.accounts.sessions import cookie_name
from app.config import Settings
from core.applications import Starlette
from core.openapi import openapi_document
from core.problems import PROBLEM_MEDIA_TYPE

Document = dict[str, Any]

PREFIX = "/api/v1/"
VERSION = "1"
SAFE_METHODS = frozenset({"get", "head", "options"})
DESCRIPTION = """What the pages do, for programs: the same rules, the same permissions.

Programs send a personal access token. Every refusal is a problem document (RFC 9457). Lists come in pages: follow
`next_cursor`, or the `Link` header."""
SESSION = "session"
TOKEN = "token"  # noqa: S105 (a scheme's name)
CSRF = "csrf"
TOO_MANY = {
    "description": "Too many requests. Wait for the seconds of `Retry-After`.",
    "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
    "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

TOO_LONG = {
    "description": "The address is longer than 8 KB. The server says so itself.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


def describe_api(app: Starlette) -> Document:
    """The document of an application. It is made at the first call, when all routes are known, and kept."""
    kept: Document | None = getattr(app.state, "api_document", None)
    if kept is None:
        kept = app.state.api_document = _describe(app, app.state.settings)
    return kept


def _describe(app: Starlette, settings: Settings) -> Document:
    document = openapi_document(
        app.routes,
        title=f"{settings.product_name} API",
        version=VERSION,
        description=DESCRIPTION,
        servers=[settings.base_url],
        under=PREFIX,
        security_schemes=_security_schemes(settings),
    )
    operations = [(method, each) for path in document["paths"].values() for method, each in path.items()]
    for method, operation in operations:
        _add_what_surrounds(method, operation)
    tags = dict.fromkeys(tag for _, operation in operations for tag in operation["tags"])
    document["tags"] = [{"name": tag, "description": _sentence_of(tag)} for tag in tags]
    return document


def _sentence_of(feature: str) -> str:
    """What the feature's own folder says of it; "" of what is no feature."""
    return (getattr(sys.modules.get(f"app.{feature}"), "__doc__", None) or "").partition("\n")[0]


def _security_schemes(settings: Settings) -> dict[str, dict[str, str]]:
    return {
        TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal access token, made at `/account/tokens`. It needs the scope that the operation names.",
        },
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(settings),
            "description": "The cookie of somebody who is logged in.",
        },
        CSRF: {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "The session's token, which every page carries in its forms as `csrf_token`.",
        },
    }


def _add_what_surrounds(method: str, operation: Document) -> None:
    """Middleware refuses more than a handler's signature shows."""
    operation["responses"].setdefault("414", TOO_LONG)
    operation["responses"].setdefault("429", TOO_MANY)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    operation["security"] = [
        each for required in operation.get("security", [{}]) for each in _ways_in(method, required)
    ]


def _ways_in(method: str, required: dict[str, list[str]]) -> list[dict[str, list[str]]]:
    """A token, where one suffices, or else a session, with which a change needs the proof that our own page asks for it."""
    others = {name: scopes for name, scopes in required.items() if name != TOKEN}
    by_session = others if method in SAFE_METHODS else others | {CSRF: []}
    by_token = [{TOKEN: sorted(set(required[TOKEN]))}] if TOKEN in required else []
    return [*by_token, by_session]

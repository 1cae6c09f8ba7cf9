"""Which way of logging in somebody used last in this browser: a hint on the log-in page, no secret and no proof."""

from datetime import timedelta

from app.config import Settings
from core.requests import HTTPConnection
from core.responses import Response

LIFETIME = timedelta(days=400)
LONGEST_NAME = 40


def cookie_name(settings: Settings) -> str:
    return "__Host-method" if settings.uses_https else "method"


def remember_method(response: Response, method: str, settings: Settings) -> None:
    """Keep the name of a way of logging in ("password", "link", "google"), and nothing about who used it."""
    response.set_cookie(
        cookie_name(settings),
        method,
        max_age=int(LIFETIME.total_seconds()),
        httponly=True,
        secure=settings.uses_https,
        samesite="lax",
    )


def last_method(connection: HTTPConnection, settings: Settings) -> str:
    """The way that was used last in this browser, or nothing."""
    value = connection.cookies.get(cookie_name(settings), "")
    return value if len(value) <= LONGEST_NAME and value.replace("_", "").isalnum() else ""

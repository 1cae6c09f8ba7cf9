"""Templates, by Jinja2 as FastAPI's users set it up."""

import base64
import hmac
import secrets
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import babel.dates
from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from benchmarks.pages.files import drawing, static

CSRF_KEY = b"benchmarks only"


def relative_time(at: datetime) -> str:
    return babel.dates.format_timedelta(at - datetime.now(UTC), add_direction=True, locale="en")


def date(at: datetime) -> str:
    return babel.dates.format_datetime(at, "medium", tzinfo=UTC, locale="en")


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def csrf_token(session: str) -> str:
    """Masked anew for each page, against BREACH."""
    mask = secrets.token_bytes(32)
    digest = hmac.digest(CSRF_KEY, session.encode(), "sha256")
    return base64.urlsafe_b64encode(mask + bytes(a ^ b for a, b in zip(mask, digest, strict=True))).decode().rstrip("=")


def shell(request: Request) -> dict[str, Any]:
    return {
        "url": request.app.url_path_for,
        "csp_nonce": request.state.csp_nonce,
        "csrf_token": csrf_token(request.cookies.get("session", "")),
        "flashes": request.session.pop("flashes", []),
    }


environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
environment.globals.update(drawing=cache(lambda name: Markup(drawing(name))), static=static)  # noqa: S704 - the product's own
environment.filters.update(relative_time=relative_time, date=date, iso=iso)
templates = Jinja2Templates(env=environment, context_processors=[shell])

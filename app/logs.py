"""Logs: one JSON object a line in production, readable lines in development, the request id on each."""

import logging
import sys
import time

import structlog

from app.config import Settings
from app.metrics import note_request
from core.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("app.access")
QUIET = ("/healthz", "/readyz", "/metrics", "/static/")


def configure_logs(settings: Settings) -> None:
    """Send structlog's and the standard library's records through one chain. Control characters are escaped in both forms."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=_renderers(settings), foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers = [existing for existing in root.handlers if not _is_ours(existing)] + [handler]
    root.setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # It tells of each call with its whole address.


def _renderers(settings: Settings) -> list[structlog.typing.Processor]:
    if settings.is_production:
        return [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # Without the frames' variables: those of a log-in have the password.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback),
    ]


def _is_ours(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)


class AccessLogMiddleware:
    """Logs one line a request: method, path without its query (tokens travel there), status, milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=scope.get("request_id"))
        started, status = time.perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            _log_request(scope, status, time.perf_counter() - started)


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    template = getattr(scope.get("route"), "path", None)
    note_request(scope["method"], template, status, seconds)
    if scope["path"].startswith(QUIET) and (status < 400 or scope["path"] == "/readyz"):
        return
    log.info(
        "request",
        method=scope["method"],
        path=scope["path"],
        route=template,
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )

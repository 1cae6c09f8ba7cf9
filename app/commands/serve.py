"""`python -m app serve`."""

import asyncio
import os
import signal
import socket
from dataclasses import replace
from tempfile import TemporaryDirectory

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from app.commands.database import running_database
from app.commands.listening import address_of, listening_socket
from app.config import Settings, load_settings
from app.database_problems import require_usable_database
from app.metrics import SHARED_FOLDER
from app.realtime.protocol import DirectProtocol
from core.server import BoundedProtocol

GRACEFUL_SECONDS = 20
GRACEFUL_SECONDS_IN_DEVELOPMENT = 2
KEEP_ALIVE_SECONDS = 20
# uvicorn gives up replacing its processes (SIGHUP) when a new one takes longer; five seconds are few on a busy machine.
START_SECONDS = 60
LARGEST_WEBSOCKET_MESSAGE = 64 * 1024
PING_SECONDS = 20


@click.command("serve")
@click.option("--host", help="Address to listen on, instead of HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on, instead of PORT; 0 takes a free one.")
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Server processes on this machine."
)
@click.option("--descriptor", type=int, hidden=True, help="A listening socket that a parent process opened.")
def serve_command(host: str | None, port: int | None, workers: int, descriptor: int | None) -> None:
    """Serve the product over HTTP.

    Refuses to start while migrations are pending. SIGTERM or Ctrl-C finishes the requests that have begun; before that,
    SIGTERM lets DRAIN_SECONDS pass, in which /readyz says no. With several workers, SIGHUP replaces them one after the
    other without losing a request. TLS, HTTP/2 and compression of uploads are for the proxy in front; name its address in TRUSTED_PROXIES.
    """
    settings = _with_address(load_settings(), host, port)
    listener = listening_socket(settings) if descriptor is None else socket.socket(fileno=descriptor)
    with listener, running_database(settings) as settings:
        asyncio.run(require_usable_database(settings))
        if descriptor is None:
            click.echo(f"Slipway answers on {address_of(listener)}", err=True)
        _serve(settings, listener, workers)


def _with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    """Server processes read their settings anew, so what the command line says goes into the environment."""
    if host is not None:
        os.environ["HOST"] = host
    if port is not None:
        os.environ["PORT"] = str(port)
    return replace(settings, host=host or settings.host, port=settings.port if port is None else port)


def _serve(settings: Settings, listener: socket.socket, workers: int) -> None:
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        workers=workers,
        loop="uvloop",
        http=BoundedProtocol,
        ws=DirectProtocol,
        ws_max_size=LARGEST_WEBSOCKET_MESSAGE,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # It costs each connection a buffer, and a small message may unpack to a large one.
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # Our own middleware does it, and believes only TRUSTED_PROXIES.
        timeout_worker_healthcheck=START_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS if settings.is_production else GRACEFUL_SECONDS_IN_DEVELOPMENT,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn handles both, and raises them once more when all requests are done; that end is no failure.
        signal.signal(number, signal.SIG_IGN)
    if workers > 1:
        with TemporaryDirectory(prefix="slipway-metrics-") as folder:
            os.environ[SHARED_FOLDER] = folder
            Multiprocess(config, sockets=[listener]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(3)

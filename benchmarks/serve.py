"""One peer under uvicorn, on a socket that the runner opened, for as long as standard input lasts.

`python -m benchmarks.serve PEER SCENARIO HTTP DESCRIPTOR`, where HTTP is what uvicorn's `http` setting takes.
"""

import os
import socket
import sys
import threading
import time

import uvicorn

from benchmarks.applications import create
from benchmarks.scenarios import BY_NAME

SECONDS_TO_END = 3


def main(peer: str, scenario: str, http: str, descriptor: str) -> None:
    config = uvicorn.Config(
        create(peer, BY_NAME[scenario]),
        http=http,
        loop="uvloop",
        ws="websockets-sansio",
        access_log=False,
        log_level="critical",
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
    server.run([socket.socket(fileno=int(descriptor))])


def _end_with_input(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True
    time.sleep(SECONDS_TO_END)
    os._exit(1)  # The application holds the event loop.


if __name__ == "__main__":
    main(*sys.argv[1:])

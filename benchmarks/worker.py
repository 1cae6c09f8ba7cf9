"""One peer in its own process: reads the name of a scenario from standard input, measures it, prints microseconds.

`python -m benchmarks.worker PEER SCENARIO` in the peers' environment measures the application that this scenario asks for.
CPU time is measured in this process, with the application called directly: no server, no socket.
"""

import asyncio
import contextlib
import sys
import time
from typing import Any

from benchmarks.answering import answer_lines
from benchmarks.applications import create
from benchmarks.calls import NoSuchPage, Request, WebSocket, call_of
from benchmarks.scenarios import BY_NAME, Scenario

SECONDS = 0.1


class Measurements:
    """Measures the scenarios of one application, which is built when the first is asked for."""

    def __init__(self, peer: str, scenario: str) -> None:
        self.peer = peer
        self.scenario = BY_NAME[scenario]
        self.app: Any = None
        self.calls: dict[str, Request | WebSocket] = {}

    async def measure(self, scenario: str) -> list[float]:
        """Microseconds of CPU per request; nothing if the peer has nothing of the kind."""
        try:
            if scenario not in self.calls:
                await self._prepare(BY_NAME[scenario])
            return [await cost(self.calls[scenario])]
        except NoSuchPage:
            return []
        except Exception as error:
            print(f"{self.peer}, {scenario}: {type(error).__name__}: {error}", file=sys.stderr)
            return []

    async def _prepare(self, scenario: Scenario) -> None:
        if self.app is None:
            self.app = create(self.peer, self.scenario)
            self.lifespan = await start(self.app)
        call = call_of(self.app, scenario)
        await call.prove()
        self.calls[scenario.name] = call


async def cost(call: Request | WebSocket) -> float:
    """Microseconds of this process's CPU per request or message."""
    count, started = 0, time.process_time()
    while (spent := time.process_time() - started) < SECONDS:
        count += await (call.perform(times=20) if isinstance(call, Request) else call.perform())
    return spent / count * 1e6


async def start(app: Any) -> asyncio.Task[None]:
    """Run the application's lifespan, as a server does."""
    started = asyncio.Event()

    async def send(message: Any) -> None:
        started.set()

    async def receive() -> dict[str, str]:
        if not started.is_set():
            return {"type": "lifespan.startup"}
        await asyncio.Event().wait()
        raise AssertionError

    async def lifespan() -> None:
        # An application without a lifespan refuses the scope (ASGI specification).
        with contextlib.suppress(Exception):
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        started.set()

    task = asyncio.create_task(lifespan())
    await started.wait()
    return task


if __name__ == "__main__":
    asyncio.run(answer_lines(Measurements(*sys.argv[1:]).measure))

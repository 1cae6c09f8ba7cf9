"""One peer in its own process: reads the name of a scenario from standard input, measures it, prints microseconds.

`python -m benchmarks.worker PEER` in the peers' environment. CPU time per request is measured in this process, with the
application called directly: no server, no socket.
"""

import asyncio
import contextlib
import importlib
import sys
import time
from typing import Any

from benchmarks.scenarios import SCENARIOS, Scenario

SECONDS = 0.15
APPLICATIONS = {"slipway": ("starlette_api", "core"), "starlette": ("starlette_api", "starlette")}


def create(peer: str, scenario: Scenario) -> Any:
    module, *package = APPLICATIONS.get(peer, (peer,))
    return importlib.import_module(f"benchmarks.applications.{module}").create(
        *package, scenario.routes, scenario.options
    )


class Client:
    """Calls an ASGI application with one request, again and again."""

    def __init__(self, app: Any, scenario: Scenario) -> None:
        self.app = app
        self.scenario = scenario
        self.headers = [(b"host", b"localhost"), (b"accept", b"*/*"), (b"user-agent", b"benchmark")]
        self.headers += [(name.encode(), value.encode()) for name, value in scenario.headers]
        if scenario.body:
            self.headers.append((b"content-length", str(len(scenario.body)).encode()))
        self.status = 0
        self.answer: list[tuple[bytes, bytes]] = []
        self.body = b""

    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.scenario.method,
            "scheme": "http",
            "path": self.scenario.path,
            "raw_path": self.scenario.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": list(self.headers),
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.scenario.body, "more_body": False}

    async def keep(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.answer = message["status"], list(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")

    async def drop(self, message: Any) -> None:
        pass

    async def prove(self) -> None:
        """Ask once and look at the answer; where the scenario needs it, bring back the cookie or the entity tag."""
        await self.app(self.scope(), self.receive, self.keep)
        headers = {name.lower(): value for name, value in self.answer}
        if "session" in self.scenario.options:
            self.headers.append((b"cookie", headers[b"set-cookie"].split(b";")[0]))
        if "conditional" in self.scenario.options:
            self.headers.append((b"if-none-match", headers[b"etag"]))
        self.body = b""
        await self.app(self.scope(), self.receive, self.keep)
        if self.status != self.scenario.status or self.scenario.expected not in self.body:
            raise ValueError(f"{self.scenario.name}: {self.status} {self.body[:200]!r}")

    async def measure(self) -> float:
        """Microseconds of CPU per request."""
        count, started = 0, time.process_time()
        while (spent := time.process_time() - started) < SECONDS:
            for _ in range(20):
                await self.app(self.scope(), self.receive, self.drop)
            count += 20
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


async def serve_commands(peer: str) -> None:
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    ready: dict[str, Client] = {}
    lifespans: list[asyncio.Task[None]] = []
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in ready:
                app = create(peer, by_name[name])
                lifespans.append(await start(app))
                ready[name] = Client(app, by_name[name])
                await ready[name].prove()
            print(await ready[name].measure(), flush=True)
        except Exception as error:
            print(f"failed {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            print("nan", flush=True)


if __name__ == "__main__":
    asyncio.run(serve_commands(sys.argv[1]))

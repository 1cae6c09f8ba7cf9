"""The command: fetch the two packages, serve on loopback, let node ask, report."""

# ruff: noqa: T201 (a command prints)

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import anyio

from tests.audit.server import application
from tests.core.serving import serving
from tests.environments import install

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".data" / "audit"
EXPECTED_AUDITS = 61
SECONDS = 120

HEARD: dict[str, Any] = {
    "a subscription to its end": [{"count": 0}, {"count": 1}, {"count": 2}],
    "a subscription that the client ends": [{"forever": 0}, {"forever": 1}],
    "how often the server saw that": [{"ended": 1}],
    "a query": [{"hello": "Hello, world"}],
    "two at a time": [[{"count": 0}, {"count": 1}], [{"hello": "Hello, world"}]],
    "a query that is not valid": [["Cannot query field 'nothing' on type 'Query'."]],
}


def main() -> int:
    """0 if every audit passed and the client heard what it should."""
    if not shutil.which("node") or not shutil.which("npm"):
        print("The audit needs node 20 or newer, and npm. Install both, and run it again.", file=sys.stderr)
        return 1
    prepare()
    audits, heard = anyio.run(ask)
    return 0 if all([report_audits(audits), report_conversations(heard)]) else 1


def prepare() -> None:
    """Fetch what package-lock.json pins, by hash, unless it is there. Raises NotInstalled."""
    pins = (HERE / "package-lock.json").read_bytes()
    mark = FOLDER / f"installed-{hashlib.sha256(pins).hexdigest()[:16]}"
    if not mark.exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, FOLDER)
        install(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], FOLDER)
        mark.touch()
    for script in HERE.glob("*.mjs"):  # They find their packages in the folder they are in.
        shutil.copy(script, FOLDER)


async def ask() -> tuple[Any, Any]:
    """What both scripts print, from a server of their own."""
    async with serving(application()) as served:
        address = f"127.0.0.1:{served.address[1]}/graphql"
        return await node("http.mjs", f"http://{address}"), await node("websocket.mjs", f"ws://{address}")


async def node(script: str, address: str) -> Any:
    with anyio.fail_after(SECONDS):
        done = await anyio.run_process(["node", str(FOLDER / script), address], stderr=None)
    return json.loads(done.stdout)


def report_audits(audits: list[dict[str, str]]) -> bool:
    """Print what was not passed, and the count; returns whether all was."""
    for audit in audits:
        if audit["status"] != "ok":
            print(f"{audit['status']:7} {audit['id']} {audit['name']}: {audit['reason']}")
    passed = sum(audit["status"] == "ok" for audit in audits)
    print(f"graphql-http: passed {passed} of {len(audits)} audits")
    return passed == len(audits) >= EXPECTED_AUDITS


def report_conversations(heard: dict[str, Any]) -> bool:
    """Print what went otherwise, and the count; returns whether all was as expected."""
    for name, expected in HEARD.items():
        if heard.get(name) != expected:
            print(f"wrong   {name}: {heard.get(name)}, expected {expected}")
    passed = [heard.get(name) == expected for name, expected in HEARD.items()].count(True)
    print(f"graphql-ws: passed {passed} of {len(HEARD)} conversations")
    return passed == len(HEARD)


if __name__ == "__main__":
    sys.exit(main())

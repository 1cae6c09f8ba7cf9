"""What a peer costs before the first request: the CPU time of importing it, and the memory of an idle worker.

The bare callable is left out: what it needs is what its author imports.
"""

import math
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.answering import Answering
from benchmarks.environment import ROOT
from benchmarks.peers import IMPORTS
from benchmarks.scenarios import SCENARIOS
from benchmarks.tables import Results, median, ratios, rows, spread
from benchmarks.under_uvicorn import servers_of, serving

PLAIN = SCENARIOS[0]
TRIES = 3  # The least of so many is what an import takes when nothing comes between.
IMPORT = "import, CPU ms above bare Python"
MEMORY = "idle worker under uvicorn, MB"


def run(interpreter: Path, names: Sequence[str], rounds: int) -> Results:
    """Measure each peer in turn, `rounds` times. All are compiled before, as an installation does it."""
    subprocess.run([interpreter, "-m", "compileall", "-q", ROOT / "core", ROOT / "benchmarks"], check=True)
    names = [name for name in names if name in IMPORTS]
    return {IMPORT: _imports(interpreter, names, rounds), MEMORY: _memory(interpreter, names, rounds)}


def _imports(interpreter: Path, names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        bare = _milliseconds(interpreter, "pass")
        for name in names:
            found[name].append(_milliseconds(interpreter, f"import {IMPORTS[name]}") - bare)
    return found


def _milliseconds(interpreter: Path, program: str) -> float:
    """Of CPU, for a whole process."""

    def once() -> float:
        before = _spent_by_children()
        subprocess.run([interpreter, "-W", "ignore", "-c", program], check=True)
        return _spent_by_children() - before

    return min(once() for _ in range(TRIES)) * 1000


def _spent_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(interpreter: Path, names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    columns = servers_of(names)
    found: dict[str, list[float]] = {column: [] for column in columns}
    with Answering(interpreter, "benchmarks.load") as load:
        for _ in range(rounds):
            for column, (peer, http) in columns.items():
                # The pages that Starlette has, without the declared ones: those need pydantic.
                application = "slipway_untyped" if peer == "slipway" else peer
                with serving(interpreter, application, PLAIN, http) as server:
                    load.ask(f"{server.port} {server.process} 0.01 {PLAIN.name}")
                    found[column].append(_megabytes(server.process))
    return found


def _megabytes(process: int) -> float:
    """The proportional memory of a process (proc_pid_smaps(5)); NaN where the system does not tell."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return math.nan
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def table(results: Results) -> str:
    """Medians, and slipway's beside Starlette's."""
    columns = list(results[MEMORY])
    head = ["before the first request", *columns, "slipway ÷ starlette"]
    body = []
    for what, peers in results.items():
        medians = [median(peers.get(column, [])) for column in columns]
        shown = [f"{value:.0f}" if math.isfinite(value) else "-" for value in medians]
        body.append([what, *shown, spread(ratios(peers, "slipway", "starlette"))])
    return rows(head, body)

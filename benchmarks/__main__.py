"""`python -m benchmarks`: measure in one run, print ratios. See `--help` for a smaller choice."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks import environment, footprint, in_process, under_uvicorn
from benchmarks.pages import comparing as pages
from benchmarks.peers import PEERS, TYPED_PEERS
from benchmarks.scenarios import NETWORK_SCENARIOS, SCENARIOS, TYPED_SCENARIOS

QUICK_ROUNDS = 2
# A process is started for each value, and the values hardly differ.
FOOTPRINT_ROUNDS = 3
# With SIGTERM, too, everything that was started is ended.
END = (signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--rounds", default=11, show_default=True, help="How often each scenario is measured with each peer.")
@click.option("--quick", is_flag=True, help="Two rounds only: for a look, not for a claim.")
@click.option("--peer", "peers", multiple=True, type=click.Choice(PEERS), help="Only this peer (repeatable).")
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["in-process", "typed", "uvicorn", "footprint", "pages"]),
    help="Only this table (repeatable).",
)
def main(rounds: int, quick: bool, peers: tuple[str, ...], parts: tuple[str, ...]) -> None:
    """Compare the toolkit with its peers, side by side in one run."""
    for number in END:
        signal.signal(number, lambda *_: sys.exit(1))
    rounds = QUICK_ROUNDS if quick else rounds
    names = list(peers) or PEERS
    interpreter = environment.python()
    for part, show in PARTS.items():
        if part in (parts or PARTS):
            click.echo(f"{show(interpreter, names, rounds)}\n")


def _in_process(interpreter: Path, names: Sequence[str], rounds: int) -> str:
    results = in_process.run(interpreter, names, SCENARIOS, rounds)
    return in_process.table(results, names, rival="starlette")


def _typed(interpreter: Path, names: Sequence[str], rounds: int) -> str:
    names = [name for name in TYPED_PEERS if name in names]
    results = in_process.run(interpreter, names, TYPED_SCENARIOS, rounds)
    return f"{in_process.table(results, names, rival='fastapi')}\n\n{in_process.declared_beside_by_hand(results)}"


def _under_uvicorn(interpreter: Path, names: Sequence[str], rounds: int) -> str:
    # All other ratios are to raw.
    names = ["raw", *(name for name in names if name != "raw")]
    rates, of_cpu = under_uvicorn.run(interpreter, names, NETWORK_SCENARIOS, rounds)
    by_time = under_uvicorn.table("requests per second", rates)
    by_cpu = under_uvicorn.table("requests per CPU second of the server", of_cpu)
    return f"{by_time}\n\n{by_cpu}"


def _footprint(interpreter: Path, names: Sequence[str], rounds: int) -> str:
    return footprint.table(footprint.run(interpreter, names, min(rounds, FOOTPRINT_ROUNDS)))


def _pages(interpreter: Path, names: Sequence[str], rounds: int) -> str:
    # Of the whole product there are two peers, whatever frameworks the other tables compare.
    rates, of_cpu = pages.run(interpreter, rounds)
    by_time = pages.table("requests per second", rates)
    by_cpu = pages.table("requests per CPU second of the server", of_cpu)
    return f"{by_time}\n\n{by_cpu}"


PARTS = {
    "in-process": _in_process,
    "typed": _typed,
    "uvicorn": _under_uvicorn,
    "footprint": _footprint,
    "pages": _pages,
}

if __name__ == "__main__":
    main()

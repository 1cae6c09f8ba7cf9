"""The command: prepare, run each program in a process of its own, report."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.compat import environment
from tests.compat.report import Outcome, describe, read_outcome
from tests.environments import ROOT

HERE = Path(__file__).parent
# Each program, by its distribution's name. Its checks are in programs/, in the files that begin with that name.
PROGRAMS = {
    "FastAPI": "fastapi",
    "sse-starlette": "sse-starlette",
    "starlette-admin": "starlette-admin",
    "sqladmin": "sqladmin",
    "Strawberry": "strawberry-graphql",
    "MCP Python SDK": "mcp",
    "Authlib": "authlib",
}
GUIDES = "the guides"


def main(selected: list[str]) -> int:
    """Run the programs whose distributions are named, or all of them and the guides; 0 if every check passed."""
    interpreter = environment.python()
    print(f"On core, in Starlette's place. {interpreter}")
    outcomes = [
        report(name, version_of(interpreter, distribution), run(interpreter, files_of(distribution)))
        for name, distribution in PROGRAMS.items()
        if not selected or distribution in selected
    ]
    if not selected or "guides" in selected:
        outcomes.append(report(GUIDES, "", run(interpreter, ["tests/test_guides.py"])))
    print(f"passed {sum(outcome.passed for outcome in outcomes)} of {sum(outcome.total for outcome in outcomes)}")
    return 0 if outcomes and all(outcome.is_good for outcome in outcomes) else 1


def report(name: str, version: str, outcome: Outcome) -> Outcome:
    print("\n".join(describe(name, version, outcome)), flush=True)
    return outcome


def files_of(distribution: str) -> list[str]:
    """The files with a program's checks, and what makes pytest run them on core."""
    prefix = distribution.replace("-", "_")
    files = sorted((HERE / "programs").glob(f"{prefix}*.py"))
    return ["-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), "-p", "tests.compat.on_core", *map(str, files)]


def version_of(interpreter: Path, distribution: str) -> str:
    program = f"import importlib.metadata as metadata; print(metadata.version({distribution!r}))"
    return subprocess.run([interpreter, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def run(interpreter: Path, arguments: list[str]) -> Outcome:
    """Run pytest in the environment; what went wrong is printed."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        options = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "--junitxml", str(results)]
        done = subprocess.run(
            [interpreter, "-m", "pytest", *options, *arguments],
            cwd=ROOT,
            env=environment.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        outcome = read_outcome(results)
    if done.returncode and not outcome.failed:
        outcome.failed["(run)"] = f"pytest ended with {done.returncode}."
    if outcome.failed:
        print(done.stdout + done.stderr)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command: prepare, run, report."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.report import MANIFEST, Outcome, describe, read_results, unknown_misses
from tests.conformance.suite import Suite, prepare

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".data" / "conformance"
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
PR_CAPBSET_DROP = 24
PYTEST_OPTIONS = [
    *("-c", str(HERE / "pytest.ini")),
    *("-p", "conformance_plugin"),
    *("-p", "no:cacheprovider"),
    *("-q", "--no-header", "--tb=no", "-rN", "--disable-warnings"),
    "--continue-on-collection-errors",
]


def main(pytest_arguments: list[str]) -> int:
    """Run the suite; 0 if every miss is a known one and no test of the manifest is missing."""
    outcome = run(prepare(CACHE), pytest_arguments)
    is_selection = bool(pytest_arguments)
    print("\n".join(describe(outcome, is_selection=is_selection)))  # noqa: T201
    is_complete = is_selection or len(outcome.passed) + len(outcome.failed) >= sum(MANIFEST.values())
    return 0 if is_complete and not unknown_misses(outcome) else 1


def run(suite: Suite, pytest_arguments: list[str]) -> Outcome:
    """Run pytest in the suite's environment, which knows this project's core and nothing else of it."""
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory) / "results.xml"
        command = [str(suite.python), "-m", "pytest", *PYTEST_OPTIONS]
        command += ["--rootdir", str(suite.directory), "--junitxml", str(results), *pytest_arguments, "tests"]
        environment = {**os.environ, "PYTHONPATH": f"{HERE / 'hooks'}{os.pathsep}{ROOT}"}
        # As root, tests of file permissions would find that everything is allowed.
        preparation = drop_file_capabilities if os.geteuid() == 0 else None
        subprocess.run(command, cwd=suite.directory, env=environment, preexec_fn=preparation, check=False)
        return read_results(results)


def drop_file_capabilities() -> None:
    """Take away, for the process that is about to start, root's power to read and write every file (Linux)."""
    if sys.platform == "linux":
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

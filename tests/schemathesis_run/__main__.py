"""The command: start the product, log in, run."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2 as httpx

from app.accounts.routes import DEMO_EMAIL, DEMO_PASSWORD
from tests.browser.server import Server, start_server, stop_server
from tests.environments import ROOT, environment

HERE = Path(__file__).parent
FEWEST_CASES = 2_000
EXAMPLES = 250  # For each operation and way of making requests.


def main(options: list[str]) -> int:
    """Run schemathesis against a server of its own; 0 if nothing failed in as many cases as there must be."""
    program = environment("schemathesis", HERE / "requirements.lock") / "schemathesis"
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(Path(folder))
        try:
            return check(run(program, server, Path(folder), options))
        finally:
            stop_server(server)


def credentials(server: Server) -> dict[str, str]:
    """The session of the demonstration's person, and the token that its pages carry."""
    with httpx.Client(base_url=server.url, follow_redirects=True) as client:
        page = client.post("/log-in", data={"email": DEMO_EMAIL, "password": DEMO_PASSWORD})
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token is not None, page.text
        (session,) = client.get("/api/v1/me/sessions").json()
        return {
            "SLIPWAY_SESSION": client.cookies["session"],
            "SLIPWAY_SESSION_ID": session["id"],
            "SLIPWAY_CSRF_TOKEN": token[1],
        }


def run(program: Path, server: Server, folder: Path, options: list[str]) -> "subprocess.CompletedProcess[str]":
    """One run, from a working directory that is thrown away, because it leaves its examples there."""
    variables = {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.schemathesis_run.hooks",
        **credentials(server),
    }
    command = [str(program), "--config-file", str(HERE / "schemathesis.toml"), "run"]
    command += [f"{server.url}/api/v1/openapi.json", "--url", server.url, "--max-examples", str(EXAMPLES), "--no-color"]
    return subprocess.run(
        [*command, *options], cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False
    )


def check(done: "subprocess.CompletedProcess[str]") -> int:
    print(done.stdout, done.stderr)  # noqa: T201
    cases = re.search(r"(\d+) generated", done.stdout)
    if cases is None or int(cases[1]) < FEWEST_CASES:
        print(f"There must be at least {FEWEST_CASES} cases.")  # noqa: T201
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command line: `python -m app`. Each command is a module of `app/commands/`, imported only when it is asked for."""

import importlib
import signal
import sys
from typing import Any

import click

from app.commands.lifeline import die_with_parent
from app.problems import OperatorProblem

COMMANDS = (
    "dev",
    "serve",
    "worker",
    "migrate",
    "seed",
    "routes",
    "policy",
    "check",
    "test",
    "format",
    "lock",
    "create-staff",
    "invite-from-waitlist",
)


class Commands(click.Group):
    """Finds a command by its name, and tells expected failures in a sentence instead of a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command = getattr(importlib.import_module(f"app.commands.{module}"), f"{module}_command")
        assert isinstance(command, click.Command)
        return command

    def invoke(self, context: click.Context) -> Any:  # Any: whatever the command returns.
        try:
            return super().invoke(context)
        except OperatorProblem as problem:
            raise click.ClickException(str(problem)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Slipway: run, check and maintain the product. `dev` is all that a newcomer needs."""


def _stop(number: int, frame: object) -> None:
    """End like after Ctrl-C, so that whatever was started is stopped on the way out."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    die_with_parent()
    main(prog_name="python -m app")

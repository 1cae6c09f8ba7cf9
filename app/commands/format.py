"""`python -m app format`."""

import click

from app.commands.tools import run_tool


@click.command("format", short_help="Format the code.")
def format_command() -> None:
    """Format the code and mend what the linter can mend by itself."""
    mended = run_tool("ruff", "check", "--fix", "--quiet")
    formatted = run_tool("ruff", "format", "--quiet")
    raise SystemExit(mended or formatted)

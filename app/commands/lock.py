"""`python -m app lock`."""

import click

from app.commands.tools import run_tool

LOCK_FILES: dict[str, tuple[str, ...]] = {
    "requirements.lock": ("--extra", "s3"),
    "requirements-dev.lock": ("--extra", "s3", "--group", "dev"),
}
OPTIONS = (
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--quiet",
)


@click.command("lock", short_help="Pin the dependencies.")
@click.option(
    "--upgrade", is_flag=True, help="Take the newest allowed versions, instead of changing as little as possible."
)
def lock_command(upgrade: bool) -> None:
    """Pin the dependencies of pyproject.toml, with hashes, for all systems and Pythons from 3.11."""
    for file, group in LOCK_FILES.items():
        arguments = ["pip", "compile", "pyproject.toml", *group, *OPTIONS, "--output-file", file]
        if code := run_tool("uv", *arguments, *(["--upgrade"] if upgrade else [])):
            raise SystemExit(code)
        click.echo(f"{file} is pinned.")

"""`python -m app check`."""

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from app.commands.lock import LOCK_FILES
from app.commands.tools import is_installed, output_of
from app.config import ROOT, load_settings
from app.problems import OperatorProblem

Check = Callable[[], str | None]


class Skipped(Exception):
    """The check does not apply here; the message says why."""


@click.command("check", short_help="Check settings, policies, pins, format, lint and types.")
def check_command() -> None:
    """Check settings, policies, pins and translations; with the development tools also format, lint and types.

    Says of each what is wrong, and what was skipped and why. Exits with 1 if anything is wrong.
    """
    if not all([_report(name, check) for name, check in CHECKS.items()]):  # noqa: C419 (all of them, not up to the first failure)
        raise SystemExit(1)


def _report(name: str, check: Check) -> bool:
    try:
        problem = check()
    except Skipped as reason:
        click.echo(f"skipped  {name}: {reason}")
        return True
    click.echo(f"{'WRONG' if problem else 'ok':8} {name}")
    if problem:
        click.echo(_indented(problem), err=True)
    return problem is None


def _indented(text: str) -> str:
    return "\n".join(f"         {line}" for line in text.splitlines())


def check_settings() -> str | None:
    try:
        load_settings()
    except OperatorProblem as problem:
        return str(problem)
    return None


def check_policies() -> str | None:
    """Every route is open to anyone on purpose, or has a guard."""
    from app.commands.routes import UNDECIDED, route_lines  # Imported here: broken settings are another check's news.
    from app.main import create_app

    try:
        routes = create_app().routes
    except OperatorProblem:
        raise Skipped("the settings are wrong") from None
    open_routes = [f"{name} {path}" for _, path, name, access in route_lines(list(routes)) if access == UNDECIDED]
    return f"Nobody decided who may use: {', '.join(open_routes)}" if open_routes else None


def check_pins() -> str | None:
    """The lock files pin exactly what pyproject.toml asks for, in versions that it allows."""
    if not is_installed("packaging"):
        raise Skipped("the package `packaging` is not installed")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"].get("optional-dependencies", {})
    runtime = [*project["project"]["dependencies"], *(item for extra in extras.values() for item in extra)]
    wanted = {"requirements.lock": runtime, "requirements-dev.lock": runtime + project["dependency-groups"]["dev"]}
    files = [file for file in LOCK_FILES if (ROOT / file).exists()]
    problems = [problem for file in files for problem in pin_problems((ROOT / file).read_text("utf-8"), wanted[file])]
    return "\n".join([*problems, "Run: python -m app lock"]) if problems else None


def pin_problems(lock: str, wanted: Iterable[str]) -> list[str]:
    """How the text of a lock file differs from the requirements."""
    from packaging.requirements import Requirement  # A development tool: production has no such package.
    from packaging.utils import canonicalize_name

    pins = {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", lock, re.M)
    }
    requirements = {canonicalize_name(item.name): item for item in map(Requirement, wanted)}
    problems = [f"{name} is not pinned." for name in requirements if name not in pins]
    problems += [
        f"{name} is pinned to {pins[name]}, but pyproject.toml asks for {item.specifier}."
        for name, item in requirements.items()
        if name in pins and pins[name] not in item.specifier
    ]
    return problems + [f"{name} is pinned, but no longer asked for." for name in _asked_for(lock) - requirements.keys()]


def _asked_for(lock: str) -> set[str]:
    """The pins that uv's comments call ours, not some other package's."""
    blocks = re.split(r"^(?=[\w.-]+(?:\[.*\])?==)", lock, flags=re.M)
    return {re.split(r"[\[=]", block)[0].lower() for block in blocks if "slipway (pyproject.toml" in block}


def check_translations() -> str | None:
    """Every catalogue can be read and translates every message with the same placeholders."""
    from babel.messages.pofile import PoFileError, read_po

    problems = []
    for path in sorted((ROOT / "app" / "translations").glob("*/LC_MESSAGES/*.po")):
        try:
            with path.open("rb") as file:
                catalogue = read_po(file, locale=path.parent.parent.name, abort_invalid=True)
        except PoFileError as error:
            problems.append(f"{_short(path)}: {error}")
            continue
        for message, errors in catalogue.check():
            problems += [f"{_short(path)}:{message.lineno}: {error}" for error in errors]
        untranslated = [str(message.id) for message in catalogue if message.id and not message.string]
        problems += [f"{_short(path)}: {text!r} is not translated." for text in untranslated]
    return "\n".join(problems) or None


def _short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tool(name: str, *arguments: str) -> Check:
    def check() -> str | None:
        if not is_installed(name):
            raise Skipped("the development tools are not installed (pip install -r requirements-dev.lock)")
        code, output = output_of(name, arguments)
        return output or f"exit code {code}" if code else None

    return check


CHECKS: dict[str, Check] = {
    "settings": check_settings,
    "policies of routes": check_policies,
    "pins match pyproject.toml": check_pins,
    "translations": check_translations,
    "format": _tool("ruff", "format", "--check"),
    "lint": _tool("ruff", "check"),
    "types": _tool("mypy", "--strict", "core", "app", "tests"),
}

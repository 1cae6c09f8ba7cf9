"""What `python -m app check` finds."""

import subprocess
import sys

from app.commands.check import check_pins, check_policies, check_settings, check_translations, pin_problems
from app.config import ROOT

LOCK = """\
alpha==1.2.3 \\
    --hash=sha256:00
    # via slipway (pyproject.toml)
beta==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:00
    # via alpha
"""


def test_the_pins_of_this_repository_match() -> None:
    assert check_pins() is None


def test_a_dependency_that_is_not_pinned_is_found() -> None:
    assert pin_problems(LOCK, ["alpha~=1.2", "gamma"]) == ["gamma is not pinned."]


def test_a_pin_outside_the_allowed_versions_is_found() -> None:
    assert pin_problems(LOCK, ["Alpha[extra]~=2.0"]) == ["alpha is pinned to 1.2.3, but pyproject.toml asks for ~=2.0."]


def test_a_pin_that_nobody_asks_for_any_more_is_found() -> None:
    assert pin_problems(LOCK, ["beta"]) == ["alpha is pinned, but no longer asked for."]


def test_what_this_repository_has_is_in_order() -> None:
    assert check_settings() is None
    assert check_policies() is None
    assert check_translations() is None


def test_what_cannot_be_checked_is_said_and_what_is_wrong_ends_with_1() -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TOOLS],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LOG_LEVEL": "loud"},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 1
    assert "WRONG    settings" in result.stdout
    assert "LOG_LEVEL must be one of" in result.stderr
    assert "skipped  policies of routes: the settings are wrong" in result.stdout
    assert "skipped  types: the development tools are not installed" in result.stdout
    assert "ok       pins match pyproject.toml" in result.stdout


# Hides the tools from importlib, as in an installation of requirements.lock.
WITHOUT_TOOLS = """
import sys

sys.modules["ruff"] = sys.modules["mypy"] = None
from app.__main__ import main
main(["check"])
"""

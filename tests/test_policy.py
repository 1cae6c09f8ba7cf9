"""The table of permissions, and whatever shows it, say the same."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.__main__ import main
from app.policy import BUILT_IN_ONLY, ENTRY, PERMISSIONS, Role, allows, area_name, by_area, known, permissions_of

ROOT = Path(__file__).parent.parent


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["policy", *arguments])
    assert result.exit_code == 0
    return result.output


def test_the_documentation_shows_the_table() -> None:
    assert (ROOT / "docs/policy.md").read_text() == printed("--markdown"), (
        "Run python -m app policy --markdown > docs/policy.md"
    )


def test_the_command_prints_every_permission_and_who_holds_it() -> None:
    lines = {line.split()[0]: line.split()[1:4] for line in printed().splitlines()[1:]}

    assert lines.keys() == PERMISSIONS.keys()
    assert lines["members.change"] == ["yes", "yes", "-"]
    assert lines["organization.delete"] == ["yes", "-", "-"]


@pytest.mark.requirement("ROL-1")
def test_each_role_holds_all_that_the_next_one_holds() -> None:
    owner, admin, member = map(permissions_of, Role)

    assert owner == PERMISSIONS.keys()
    assert owner > admin > member >= {ENTRY}
    assert all(allows(Role.OWNER, name) for name in PERMISSIONS)


def test_an_unknown_permission_and_an_unknown_role_are_errors() -> None:
    with pytest.raises(KeyError):
        allows(Role.OWNER, "nothing.such")
    with pytest.raises(ValueError, match="superuser"):
        permissions_of("superuser")


def test_a_role_of_an_organizations_own_lets_in_and_never_gives_the_organization_away() -> None:
    given = known({"audit.view", "gone.since", *BUILT_IN_ONLY})

    assert given == {"audit.view", ENTRY}


def test_every_area_has_a_name_in_words() -> None:
    assert [area_name(area) for area in by_area()][:2] == ["Organization", "Members"]
    assert area_name("new_things") == "New things"

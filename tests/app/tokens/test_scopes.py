"""Scopes come from the policy, so that a new permission has one from the start."""

import pytest

from app.policy import PERMISSIONS
from app.tokens.scopes import ACCOUNT, all_scopes, covers, scope_for


def test_every_permission_is_in_one_scope() -> None:
    scopes = all_scopes()

    assert sorted(permission for each in scopes.values() for permission in each) == sorted(PERMISSIONS)
    assert all(scope_for(permission) in scopes for permission in PERMISSIONS)
    assert scopes[ACCOUNT] == []


@pytest.mark.parametrize(
    ("scopes", "needed", "is_covered"),
    [
        (["members:read"], "members:read", True),
        (["members:write"], "members:read", True),
        (["members:read"], "members:write", False),
        (["organization:write"], "members:read", False),
        (["members"], "members:read", False),
        ([], "members:read", False),
    ],
)
def test_writing_covers_reading_and_no_area_covers_another(scopes: list[str], needed: str, is_covered: bool) -> None:
    assert covers(scopes, needed) is is_covered

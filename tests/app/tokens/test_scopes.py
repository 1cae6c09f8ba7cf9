"""Scopes come from the policy, so that a new permission has one from the start."""

import pytest

from app.accounts.models import User
from app.policy import PERMISSIONS
from app.tokens.models import Credential, PersonalToken
from app.tokens.scopes import ACCOUNT, PERSONS_ONLY, all_scopes, covers, scope_for


def test_every_permission_is_in_one_scope() -> None:
    scopes = all_scopes()

    given = sorted(permission for each in scopes.values() for permission in each)
    assert given == sorted(PERMISSIONS.keys() - PERSONS_ONLY)
    assert all(scope_for(permission) in scopes for permission in given)
    assert scopes[ACCOUNT] == []


@pytest.mark.requirement("API-1")
@pytest.mark.parametrize("permission", sorted(PERSONS_ONLY))
def test_what_persons_do_themselves_is_in_no_scope(permission: str) -> None:
    everything = PersonalToken(scopes=[*all_scopes(), "organization:write", "security:write"])

    assert scope_for(permission) is None
    assert not Credential(User(), token=everything).has_scope(scope_for(permission))
    assert Credential(User()).has_scope(scope_for(permission))


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

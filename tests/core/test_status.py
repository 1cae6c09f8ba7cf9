"""Status codes by name."""

import http

import pytest

from core import status
from core.exceptions import StarletteDeprecationWarning


def test_the_names_say_the_number() -> None:
    for name in status.__all__:
        assert getattr(status, name) == int(name.split("_")[1])


def test_every_status_that_python_knows_has_a_name() -> None:
    codes = {getattr(status, name) for name in status.__all__ if name.startswith("HTTP_")}
    assert {int(known) for known in http.HTTPStatus} <= codes


@pytest.mark.parametrize(("old", "current"), status.__deprecated__.items())
def test_a_retired_name_still_works_and_warns_where_it_is_used(old: str, current: str) -> None:
    with pytest.warns(StarletteDeprecationWarning, match=f"Use '{current}'") as warnings:
        assert getattr(status, old) == getattr(status, current)
    assert warnings[0].filename == __file__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="HTTP_999"):
        _ = status.HTTP_999_NOTHING


def test_dir_lists_current_and_retired_names() -> None:
    assert {"HTTP_200_OK", "HTTP_422_UNPROCESSABLE_ENTITY"} <= set(dir(status))

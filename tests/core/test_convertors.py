"""How path parameters are read from a path and written into one."""

import math
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from core.convertors import CONVERTOR_TYPES, Convertor, IntegerConvertor, register_url_convertor


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("str", "ada", "ada"),
        ("path", "a/b/c", "a/b/c"),
        ("path", "a\nb", "a\nb"),
        ("int", "42", 42),
        ("float", "1.5", 1.5),
        ("float", "3", 3.0),
        ("uuid", "ec38df32-ceda-4cfa-9b4a-1aeb94ad551a", uuid.UUID("ec38df32-ceda-4cfa-9b4a-1aeb94ad551a")),
    ],
)
def test_a_value_reads_back_as_it_was_written(kind: str, text: str, value: Any) -> None:
    convertor = CONVERTOR_TYPES[kind]
    assert re.fullmatch(convertor.regex, text)
    assert convertor.convert(text) == value
    assert convertor.convert(convertor.to_string(value)) == value


def test_a_uuid_may_come_without_hyphens() -> None:
    text = "ec38df32ceda4cfa9b4a1aeb94ad551a"
    assert re.fullmatch(CONVERTOR_TYPES["uuid"].regex, text)
    assert CONVERTOR_TYPES["uuid"].convert(text) == uuid.UUID(text)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (25.5, "25.5"), (10.0, "10"), (1e-7, "0.0000001"), (1e21, "1" + "0" * 21)]
)
def test_a_float_is_written_with_the_fewest_digits_and_no_exponent(value: float, text: str) -> None:
    assert CONVERTOR_TYPES["float"].to_string(value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [("str", ""), ("str", "a/b"), ("int", -1), ("float", -0.5), ("float", math.nan), ("float", math.inf)],
)
def test_a_value_that_could_not_be_read_back_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(AssertionError):
        CONVERTOR_TYPES[kind].to_string(value)


def test_more_digits_than_python_reads_are_a_value_error_and_so_no_match() -> None:
    with pytest.raises(ValueError, match="digits"):
        IntegerConvertor().convert("9" * 5000)


class Letters(Convertor[str]):
    regex = "[a-z]+"

    def convert(self, value: str) -> str:
        return value.upper()

    def to_string(self, value: str) -> str:
        return value.lower()


@pytest.fixture
def letters() -> Iterator[str]:
    register_url_convertor("letters", Letters())
    yield "letters"
    del CONVERTOR_TYPES["letters"]


def test_a_program_may_add_its_own_kind(letters: str) -> None:
    assert CONVERTOR_TYPES[letters].convert("abc") == "ABC"

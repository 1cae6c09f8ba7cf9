"""Path parameters: the pattern each kind matches, and how its values are read from and written into a path."""

from __future__ import annotations

import math
import uuid
from typing import Any, ClassVar, Generic, TypeVar

T = TypeVar("T")


class Convertor(Generic[T]):
    """A kind of path parameter.

    `regex` is what its text matches, without anchors. `convert` may raise ValueError, which means that the path does
    not match after all. `to_string` raises AssertionError for values that could not be read back; it is `str` at first.
    """

    regex: ClassVar[str] = ""

    def convert(self, value: str) -> T:
        raise NotImplementedError

    def to_string(self, value: T) -> str:
        return str(value)


class StringConvertor(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        text = str(value)
        require("/" not in text, "May not contain path separators")
        require(bool(text), "Must not be empty")
        return text


class PathConvertor(Convertor[str]):
    # The dot is to take line breaks too, or a path with one would lead around every mount.
    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value


class IntegerConvertor(Convertor[int]):
    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        number = int(value)
        require(number >= 0, "Negative integers are not supported")
        return str(number)


class FloatConvertor(Convertor[float]):
    regex = r"[0-9]+(\.[0-9]+)?"

    def convert(self, value: str) -> float:
        return float(value)

    def to_string(self, value: float) -> str:
        number = float(value)
        require(number >= 0.0, "Negative floats are not supported")
        require(not math.isnan(number), "NaN values are not supported")
        require(not math.isinf(number), "Infinite values are not supported")
        return plain_decimal(number)


class UUIDConvertor(Convertor[uuid.UUID]):
    regex = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"

    def convert(self, value: str) -> uuid.UUID:
        return uuid.UUID(value)


# Each convertor has its own type of value: hence Any.
CONVERTOR_TYPES: dict[str, Convertor[Any]] = {
    "str": StringConvertor(),
    "path": PathConvertor(),
    "int": IntegerConvertor(),
    "float": FloatConvertor(),
    "uuid": UUIDConvertor(),
}


def register_url_convertor(key: str, convertor: Convertor[Any]) -> None:
    """Make `{name:key}` in route paths mean this convertor."""
    CONVERTOR_TYPES[key] = convertor


def plain_decimal(number: float) -> str:
    """The shortest digits that read back as the same number, never with an exponent: 0.1, 1500000, 0.00001."""
    text = repr(number)
    if "e" in text:
        from decimal import Decimal

        text = format(Decimal(text), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def require(condition: bool, message: str) -> None:
    # Not an assert statement: the check must survive `python -O`.
    if not condition:
        raise AssertionError(message)

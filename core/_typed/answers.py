"""What a handler returns becomes a response: a Response as it is, anything else as JSON of its declared type."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import to_json

from core._typed.inputs import adapter
from core._typed.markers import Status
from core._typed.signature import EMPTY, describe, split_annotation
from core.responses import Response

Answer = Callable[[Any], Response]
# Of pydantic's models and dataclasses.
RECORD_MARKS = ("__pydantic_serializer__", "__dataclass_fields__")
JSON_VALUES = (dict, list, tuple, set, frozenset)


class InvalidAnswer(TypeError):
    """A handler returned something other than it declared. The client gets a 500: the mistake is ours."""


def answer_of(function: Callable[..., Any], returns: Any) -> Answer:
    """How results that are no Response become one, from the handler's return annotation."""
    declared, status_code = declared_answer(returns)
    if declared is EMPTY:
        return _undeclared(function, status_code)
    if declared is None or declared is type(None):
        return _nothing(function, status_code)
    return _declared(function, declared, status_code)


def declared_answer(returns: Any) -> tuple[Any, int]:
    """The type of a handler's answers beside Responses (`Response` itself when there is none) and their status code."""
    bare, metadata = split_annotation(returns)
    codes = [item.status_code for item in metadata if isinstance(item, Status)]
    declared = _without_responses(returns if not codes else bare)
    return declared, codes[0] if codes else 204 if declared in (None, type(None)) else 200


def _without_responses(annotation: Any) -> Any:
    if _is_response(annotation):
        return Response
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    others = tuple(member for member in get_args(annotation) if not _is_response(member))
    return Union[others] if others else Response  # noqa: UP007 - the members are known only here.


def _is_response(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_response(get_args(annotation)[0])
    return isinstance(annotation, type) and issubclass(annotation, Response)


def json_response(content: bytes, status_code: int) -> Response:
    return Response(content, status_code=status_code, media_type="application/json")


def _declared(function: Callable[..., Any], declared: Any, status_code: int) -> Answer:
    """Values are validated as their declared type, attributes of objects included: what it does not name is not sent."""
    if declared is Response:
        return lambda result: _refuse(function, result, "not a Response")
    of_type = adapter(function, "return", declared)
    validate, serialize = of_type.validator.validate_python, of_type.serializer.to_json

    def answer(result: Any) -> Response:
        try:
            return json_response(serialize(validate(result, from_attributes=True), by_alias=True), status_code)
        except ValidationError as error:
            raise InvalidAnswer(f"{describe(function)} returned something other than {declared!r}: {error}") from error

    return answer


def _undeclared(function: Callable[..., Any], status_code: int) -> Answer:
    def answer(result: Any) -> Response:
        if isinstance(result, JSON_VALUES) or any(hasattr(result, mark) for mark in RECORD_MARKS):
            return json_response(to_json(result, inf_nan_mode="null"), status_code)
        _refuse(function, result, "which is no Response: return one, or declare what it returns")

    return answer


def _nothing(function: Callable[..., Any], status_code: int) -> Answer:
    def answer(result: Any) -> Response:
        return (
            Response(status_code=status_code) if result is None else _refuse(function, result, "and declares nothing")
        )

    return answer


def _refuse(function: Callable[..., Any], result: Any, problem: str) -> NoReturn:
    raise InvalidAnswer(f"{describe(function)} returned {result!r}, {problem}")

"""Typed handlers: a function's signature says what it needs, and is compiled once into a call plan.

    async def create_project(scope: MemberScope, body: Annotated[NewProject, Body()], db: Db) -> ProjectOut: ...
    async def list_projects(scope: MemberScope, db: Db, page: Annotated[Page, Query()]) -> list[ProjectOut]: ...

- A parameter annotated `Request`, `WebSocket` or `HTTPConnection`, or the only one without an annotation, is the connection.
- A parameter named in the route's path is the converted path value; one that does not fit its annotation is a 404.
- `Query`, `Header`, `Cookie`, `Form`, `File` and `Body` mark what pydantic validates. All bad values of a request are
  reported at once, as one problem document with status 422.
- `Submitted[Model]` is a form that is shown again with what was typed and what was wrong.
- `Annotated[T, Depends(function)]` is the function's result; `depends_on` runs one for its effect. Dependencies run in the
  order of the signature, before the handler's own values are read, so that a stranger gets a 401 rather than a 422.
- What is returned becomes the response: a Response as it is, anything else as JSON of the declared type, `None` as 204;
  `-> Annotated[Project, Status(201)]` sets the status.

A mistake in a signature raises `InvalidSignature` when the route is built, naming the function, its file and line.
"""

import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NoReturn, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import to_json

from core._typed.inputs import FAILED, Resolution, adapter
from core._typed.markers import Body, Cookie, Depends, File, Form, Header, Path, Query, Status, depends_on
from core._typed.plan import Plan, dependencies_of, finish
from core._typed.signature import EMPTY, RECORD_MARKS, InvalidSignature, describe, split_annotation
from core._typed.submitted import InvalidSubmission, Submitted
from core.exceptions import HTTPException
from core.problems import InvalidInput, Problem, problem_response
from core.responses import Response

# What handlers declare, and what tells of it.
__all__ = ["Body", "Cookie", "Depends", "File", "Form", "Header", "Path", "Query", "Status", "Submitted", "depends_on"]
__all__ += [
    "InvalidAnswer",
    "InvalidSignature",
    "InvalidSubmission",
    "compile_endpoint",
    "declared_answer",
    "dependencies_of",
]

# A Request or a WebSocket in, with values that are given to the handler by name; a Response out, or nothing for a websocket.
# Which one is decided by the kind of route.
Endpoint = Callable[..., Awaitable[Any]]
NOTHING: Mapping[str, Any] = types.MappingProxyType({})
Answer = Callable[[Any], Response]
NO_VALUE = (None, type(None))
JSON_VALUES = (dict, list, tuple, set, frozenset)


def compile_endpoint(
    function: Callable[..., Any], path: str, dependencies: Sequence[Depends] = (), given: Sequence[str] = ()
) -> Endpoint:
    """A plain endpoint, `async (connection) -> response`, of a handler with any signature on a route's path.

    `dependencies` run before the handler's own. The endpoint is called with the values of the parameters named by `given`.

    Raises InvalidSignature. Refused inputs raise `InvalidInput` if the application handles it, its status or a base class;
    otherwise they are answered with the problem document itself.
    """

    @lru_cache(maxsize=1)
    def plan_with(overrides: frozenset[tuple[Any, Any]]) -> Plan:
        return Plan(function, path, dependencies=dependencies, given=given, overrides=dict(overrides))

    plan = plan_with(frozenset())
    answer = answer_of(function, plan.signature.returns)

    async def endpoint(connection: Any, values: Mapping[str, Any] = NOTHING) -> Any:
        overrides = getattr(connection.scope.get("app"), "dependency_overrides", None)
        chosen = plan_with(frozenset(overrides.items())) if overrides else plan
        try:
            return await resolve(chosen, answer, Resolution(connection, values))
        except Problem as problem:
            if is_websocket(connection) or is_handled(connection, problem):
                raise
            return problem_response(problem)

    return endpoint


async def resolve(plan: Plan, answer: Answer, run: Resolution) -> Any:
    """Run a plan and finish its generators: before the response is given back, and so before its first byte is sent."""
    try:
        result = await plan.run(run)
        if result is FAILED:
            raise InvalidInput(run.errors)
        if not isinstance(result, Response):
            result = None if is_websocket(run.connection) else answer(result)
    except BaseException as error:
        await finish(run, error)
        raise
    if run.generators or run.form is not None:
        await finish(run, None)
    return result


class InvalidAnswer(TypeError):
    """A handler returned something other than it declared. The client gets a 500: the mistake is ours."""


def answer_of(function: Callable[..., Any], returns: Any) -> Answer:
    """How results that are no Response become one, from the handler's return annotation."""
    declared, status_code = declared_answer(returns)
    encode = _encoder(function, declared)
    media_type = None if declared in NO_VALUE else "application/json"
    return lambda result: Response(encode(result), status_code=status_code, media_type=media_type)


def declared_answer(returns: Any) -> tuple[Any, int]:
    """The type of a handler's answers beside Responses (`Response` itself when there is none) and their status code."""
    bare, metadata = split_annotation(returns)
    codes = [item.status_code for item in metadata if isinstance(item, Status)]
    declared = _without_responses(bare if codes else returns)
    return declared, codes[0] if codes else 204 if declared in NO_VALUE else 200


def _without_responses(annotation: Any) -> Any:
    is_union = get_origin(annotation) in (Union, types.UnionType)
    others = tuple(each for each in (get_args(annotation) if is_union else (annotation,)) if not _is_response(each))
    return Union[others] if others else Response  # noqa: UP007 - the members are known only here.


def _is_response(annotation: Any) -> bool:
    bare, _ = split_annotation(annotation)
    return isinstance(bare, type) and issubclass(bare, Response)


def _encoder(function: Callable[..., Any], declared: Any) -> Callable[[Any], bytes | None]:
    """Values are validated as their declared type, attributes of objects included: what it does not name is not sent."""
    refuse = partial(_refuse, function)
    if declared is Response:
        return lambda result: refuse(result, "not a Response")
    if declared in NO_VALUE:
        return lambda result: None if result is None else refuse(result, "and declares nothing")
    if declared is EMPTY:
        undeclared = "which is no Response: return one, or declare what it returns"
        return lambda result: to_json(result, inf_nan_mode="null") if _is_data(result) else refuse(result, undeclared)
    of_type = adapter(function, "return", declared)
    validate, serialize = of_type.validator.validate_python, of_type.serializer.to_json

    def encode(result: Any) -> bytes:
        try:
            return serialize(validate(result, from_attributes=True), by_alias=True)
        except ValidationError as error:
            raise InvalidAnswer(f"{describe(function)} returned something other than {declared!r}: {error}") from error

    return encode


def _is_data(result: Any) -> bool:
    return isinstance(result, JSON_VALUES) or any(hasattr(result, mark) for mark in RECORD_MARKS)


def _refuse(function: Callable[..., Any], result: Any, problem: str) -> NoReturn:
    raise InvalidAnswer(f"{describe(function)} returned {result!r}, {problem}")


def is_websocket(connection: Any) -> bool:
    return bool(connection.scope["type"] == "websocket")


def is_handled(connection: Any, problem: HTTPException) -> bool:
    """Whether the application has a handler for a refusal, by its status or its class (a handler of `Exception` is for the rest)."""
    handlers = getattr(connection.scope.get("app"), "exception_handlers", {})
    classes = (kind for kind in type(problem).__mro__ if issubclass(kind, HTTPException))
    return problem.status_code in handlers or any(kind in handlers for kind in classes)

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

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from core._typed.answers import Answer, answer_of
from core._typed.answers import InvalidAnswer as InvalidAnswer
from core._typed.inputs import FAILED, Resolution
from core._typed.markers import Body as Body
from core._typed.markers import Cookie as Cookie
from core._typed.markers import Depends as Depends
from core._typed.markers import File as File
from core._typed.markers import Form as Form
from core._typed.markers import Header as Header
from core._typed.markers import Path as Path
from core._typed.markers import Query as Query
from core._typed.markers import Status as Status
from core._typed.markers import attached_dependencies
from core._typed.markers import depends_on as depends_on
from core._typed.plan import Plan, dependency_of
from core._typed.signature import InvalidSignature as InvalidSignature
from core._typed.signature import read_signature
from core._typed.submitted import InvalidSubmission as InvalidSubmission
from core._typed.submitted import Submitted as Submitted
from core._typed.teardown import finish
from core.exceptions import HTTPException
from core.problems import InvalidInput, Problem, problem_response
from core.responses import Response

# A Request or a WebSocket in, with values that are given to the handler by name; a Response out, or nothing for a websocket.
# Which one is decided by the kind of route.
Endpoint = Callable[..., Awaitable[Any]]
NOTHING: Mapping[str, Any] = MappingProxyType({})


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
            return await resolve(chosen, answer, chosen.new_resolution(connection, values))
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


def dependencies_of(handler: Callable[..., Any], behind: Sequence[Depends] = ()) -> Iterator[Depends]:
    """Every `Depends` in the tree of a handler, depth first, after those that its route is `behind`.

    A handler that takes only the connection has none of its own.
    """
    for marker in (*behind, *attached_dependencies(handler)):
        yield from _tree(handler, marker, None)
    yield from _parameters_tree(handler)


def _tree(owner: Callable[..., Any], marker: Depends, parameter: Any) -> Iterator[Depends]:
    yield marker
    yield from _parameters_tree(dependency_of(owner, marker, parameter))


def _parameters_tree(function: Callable[..., Any]) -> Iterator[Depends]:
    for parameter in read_signature(function).parameters:
        if isinstance(parameter.marker, Depends):
            yield from _tree(function, parameter.marker, parameter)


def is_websocket(connection: Any) -> bool:
    return bool(connection.scope["type"] == "websocket")


def is_handled(connection: Any, problem: HTTPException) -> bool:
    """Whether the application has a handler for a refusal, by its status or its class (a handler of `Exception` is for the rest)."""
    handlers = getattr(connection.scope.get("app"), "exception_handlers", {})
    classes = (kind for kind in type(problem).__mro__ if issubclass(kind, HTTPException))
    return problem.status_code in handlers or any(kind in handlers for kind in classes)

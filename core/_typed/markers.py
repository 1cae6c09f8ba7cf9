"""What a handler writes in its annotations to say where a value comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypeVar

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])

DEPENDENCIES_ATTRIBUTE = "__depends_on__"


@dataclass(eq=False)
class Input:
    """A value read from the request and validated by pydantic.

    `alias` is the name in the request where it is not the parameter's own; `description`, `example` and `deprecated` are for
    the OpenAPI document.
    """

    place: ClassVar[str] = ""

    alias: str | None = None
    _: KW_ONLY
    description: str = ""
    example: Any = None
    deprecated: bool = False


class Path(Input):
    """A path value by name. Needed only below a `Mount` whose own path holds the parameter; others are found by their name."""

    place = "path"


class Query(Input):
    """A query parameter; on a pydantic model, all of them as that model's fields."""

    place = "query"


class Header(Input):
    """A request header, `x_request_id` for `x-request-id`; on a pydantic model, its fields likewise."""

    place = "header"


class Cookie(Input):
    """A cookie; on a pydantic model, all of them as that model's fields."""

    place = "cookie"


class Form(Input):
    """A field of an urlencoded or multipart form; on a pydantic model, the whole form. Bad values are a 422 answer.

    Pages that show the form again take `Submitted[Model]` instead.
    """

    place = "form"


class File(Input):
    """An uploaded file of a multipart form: `UploadFile`, `list[UploadFile]`, or `bytes` of a small one."""

    place = "form"


@dataclass(eq=False, kw_only=True)
class Body(Input):
    """The JSON body (`application/json` or any `+json`, else 415); for `bytes`, the raw body whatever its type.

    A body nested deeper than `max_depth` or of more than `max_elements` values is refused before it is parsed. JSON leaves
    open which of two values under one name counts (RFC 8259 section 4); with `unique_names` there must not be two.
    """

    place = "body"

    max_depth: int = 32
    max_elements: int = 10_000
    unique_names: bool = False


class Depends:
    """The result of `dependency`, resolved like a handler and called at most once per request.

    A dependency may be async or sync (run in a worker thread), a class (constructed in place), or a generator that yields
    its value once: the rest of it runs after the handler returned and before the first byte is sent, and sees the handler's
    exception. It may raise another one instead, but cannot swallow it. Without an argument the annotated class itself is
    the dependency. Subclasses may carry data of their own, such as a permission.
    """

    def __init__(self, dependency: Callable[..., Any] | None = None) -> None:
        self.dependency = dependency

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self.dependency, '__qualname__', self.dependency)})"


class Status:
    """The status code of a handler's answer, in its return annotation: `-> Annotated[Project, Status(201)]`."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


def depends_on(*dependencies: Depends) -> Callable[[EndpointT], EndpointT]:
    """Resolve `dependencies` before a handler, in order, for their effect alone: a limit, a check that refuses.

    As a decorator it belongs to the handler; for one route of several, wrap it in place:
    `Route("/exports", depends_on(Depends(require_plan))(export_projects))`.
    """

    def attach(endpoint: EndpointT) -> EndpointT:
        attached = (*dependencies, *attached_dependencies(endpoint))
        setattr(endpoint, DEPENDENCIES_ATTRIBUTE, attached)
        return endpoint

    return attach


def attached_dependencies(endpoint: object) -> tuple[Depends, ...]:
    """The dependencies that `depends_on` gave to a handler, which a partial of it keeps."""
    while isinstance(endpoint, functools.partial) and not hasattr(endpoint, DEPENDENCIES_ATTRIBUTE):
        endpoint = endpoint.func
    return tuple(getattr(endpoint, DEPENDENCIES_ATTRIBUTE, ()))

"""What the GraphQL types of every feature are written with."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from app.api.viewer import Viewer

Info = strawberry.Info[Viewer, None]
ResolverT = TypeVar("ResolverT", bound=Callable[..., Any])  # Any: a resolver takes what its field takes.


def described(text: str) -> Callable[[ResolverT], ResolverT]:
    """strawberry's decorator for a resolver, in a form that keeps the resolver's type."""
    decorator: Callable[[ResolverT], ResolverT] = strawberry.field(description=text)
    return decorator

"""What schemathesis loads in its own environment."""

import itertools
from typing import Any

import schemathesis

from tests.networks import network

clients = itertools.count(1)


def before_call(context: Any, case: Any, kwargs: Any) -> None:  # Any: the types are in the other environment.
    """Let every request come from another client, so that no limit of one is met.

    A cursor is signed, which no schema can say: a request that is meant to be good has none, a bad one may have any.
    """
    case.headers = {**(case.headers or {}), **network(next(clients))}
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        case.query = {name: value for name, value in case.query.items() if name != "cursor"}


schemathesis.hook(before_call)

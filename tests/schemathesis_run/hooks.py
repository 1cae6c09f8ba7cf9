"""What schemathesis loads in its own environment."""

import itertools
import os
import uuid
from typing import Any

import schemathesis

from tests.networks import network

clients = itertools.count(1)
own_session = os.environ["SLIPWAY_SESSION_ID"]


def before_call(context: Any, case: Any, kwargs: Any) -> None:  # Any: the types are in the other environment.
    """Let every request come from another client, so that no limit of one is met.

    A cursor is signed, which no schema can say: a request that is meant to be good has none, a bad one may have any. And the
    session that everything runs in is not ended on the way: after that, every answer would be the same 401.
    """
    case.headers = {**(case.headers or {}), **network(next(clients))}
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        case.query = {name: value for name, value in case.query.items() if name != "cursor"}
    if case.path_parameters and case.path_parameters.get("session_id") == own_session:
        case.path_parameters = {"session_id": str(uuid.uuid4())}


schemathesis.hook(before_call)

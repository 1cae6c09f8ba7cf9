"""What schemathesis loads in its own environment. Its types are there, so that here they are `Any`."""

import itertools
import os
import uuid
from typing import Any

import schemathesis

from tests.networks import network

clients = itertools.count(1)
own_session = os.environ["SLIPWAY_SESSION_ID"]


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Let every request come from another client, so that no limit of one is met.

    The session that everything runs in is not ended on the way: after that, every answer would be the same 401.
    """
    case.headers = {**(case.headers or {}), **network(next(clients))}
    if case.path_parameters and case.path_parameters.get("session_id") == own_session:
        case.path_parameters = {"session_id": str(uuid.uuid4())}
    if case.meta is not None and case.meta.generation.mode.is_positive:
        say_what_no_schema_can(case)


def say_what_no_schema_can(case: Any) -> None:
    """What is meant to be good has no cursor, because cursors are signed, a key that is new, and a role and a lead that there are."""
    if case.query:
        case.query = {name: value for name, value in case.query.items() if name != "cursor"}
    case.headers = {
        name: str(uuid.uuid4()) if name.lower() == "idempotency-key" else value for name, value in case.headers.items()
    }
    if isinstance(case.body, dict):
        known = {"role": "member", "lead_id": None}
        case.body = {name: known.get(name, value) for name, value in case.body.items()}


schemathesis.hook(before_call)

"""Reading a JSON body: its media type, bounds before it is parsed, and pydantic's parser and validator in one pass."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from core._headers import media_type_of
from core._typed.markers import Body
from core.concurrency import run_in_threadpool
from core.problems import Problem

PARSED_IN_A_THREAD_FROM = 64 * 1024
# Possessive, and an unfinished string runs to the end: every byte is looked at once, whatever the body is.
STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
BRACKET = re.compile(rb"[\[\]{}]")


async def read_json(headers: Mapping[str, str], body: bytes, limits: Body, validate: Callable[[bytes], Any]) -> Any:
    """The validated body. Raises Problem (400 malformed or too deep, 415 not JSON) and pydantic's ValidationError."""
    require_json(headers.get("content-type", ""))
    require_bounds(body, limits)
    try:
        return await parsed(validate, body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, f"The body is not valid JSON. {first['msg']}.") from None
        raise


async def parsed(parse: Callable[[bytes], Any], body: bytes) -> Any:
    """What `parse` makes of a body: in a thread where that would hold up the event loop."""
    return await run_in_threadpool(parse, body) if len(body) > PARSED_IN_A_THREAD_FROM else parse(body)


def require_json(content_type: str) -> None:
    """Refuse anything that was not declared as JSON: a form of another site can send text/plain. Raises Problem (415)."""
    media_type = media_type_of(content_type)
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise Problem(415, "Send the body as application/json.")


def require_bounds(body: bytes, limits: Body) -> None:
    """Refuse a body that is nested too deep or has too many values, before parsing costs anything. Raises Problem (400)."""
    if _is_plainly_small(body, limits):
        return
    structure = STRING.sub(b"", body)
    if structure.count(b",") + structure.count(b"[") + structure.count(b"{") > limits.max_elements:
        raise Problem(400, f"The body has more than {limits.max_elements} values.")
    if _depth(structure) > limits.max_depth:
        raise Problem(400, f"The body is nested deeper than {limits.max_depth} levels.")


def has_repeated_names(body: bytes) -> bool:
    """Whether an object of a valid JSON text has two members of one name, of which every parser may take another."""
    repeated = False

    def note(members: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated = repeated or len(dict(members)) < len(members)

    # Nobody needs the numbers, and Python refuses integers of thousands of digits.
    json.loads(body, object_pairs_hook=note, parse_int=len, parse_float=len)
    return repeated


def _is_plainly_small(body: bytes, limits: Body) -> bool:
    """Counting the bytes that could nest or separate, strings included, settles nearly every body."""
    openings = body.count(b"[") + body.count(b"{")
    return openings <= limits.max_depth and openings + body.count(b",") <= limits.max_elements


def _depth(structure: bytes) -> int:
    depth = deepest = 0
    for bracket in BRACKET.findall(structure):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest

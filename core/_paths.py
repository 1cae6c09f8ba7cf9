"""Route paths such as "/members/{id:uuid}": compiled to match, and filled in to link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from core._urls import without_authority
from core.convertors import CONVERTOR_TYPES, Convertor

PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(?::([a-zA-Z_][a-zA-Z0-9_]*))?}")

# What may stand in a path as it is (RFC 3986 section 3.3), and braces, which templates of addresses keep.
UNQUOTED = "/:@!$&'()*+,;=~{}"

# Values of parameters are of any type: their convertors know.
Convertors = Mapping[str, Convertor[Any]]


def compile_path(path: str) -> tuple[re.Pattern[str], str, dict[str, Convertor[Any]]]:
    """The pattern that a path must match whole, the path with bare placeholders, and its convertors by name.

    Raises AssertionError for an unknown convertor and ValueError for parameters of one name.
    """
    parameters = [(found[1], found[2] or "str") for found in PARAMETER.finditer(path)]
    for _, kind in parameters:
        if kind not in CONVERTOR_TYPES:
            raise AssertionError(f"Unknown path convertor '{kind}'")
    names = [name for name, _ in parameters]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Duplicated param name{'s' * (len(duplicates) > 1)} {', '.join(duplicates)} at path {path}")
    convertors = {name: CONVERTOR_TYPES[kind] for name, kind in parameters}
    path_format = PARAMETER.sub(r"{\1}", path)
    return pattern_of(path_format, convertors), path_format, convertors


def pattern_of(path_format: str, convertors: Convertors) -> re.Pattern[str]:
    """What the path must match, with what each convertor accepts in the place of its parameter."""
    pieces = PARAMETER.split(path_format)
    literals, names = pieces[::3], pieces[1::3]
    parameters = [
        f"(?P<{name}>{convertors[name].regex}){re.escape(literal)}"
        for name, literal in zip(names, literals[1:], strict=True)
    ]
    # \Z rather than $, which also matches before a final newline: "/admin\n" is not "/admin".
    return re.compile(f"^{re.escape(literals[0])}{''.join(parameters)}\\Z")


def match_path(pattern: re.Pattern[str], convertors: Convertors, path: str) -> dict[str, Any] | None:
    """The converted parameters, or None if the path does not match. A value that cannot be converted is no match."""
    found = pattern.match(path)
    if found is None:
        return None
    params = {}
    try:
        for name, convertor in convertors.items():
            params[name] = convertor.convert(found[name])
    except ValueError:
        return None
    return params


def replace_params(
    path: str, param_convertors: Convertors, path_params: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The path with its placeholders filled in, percent-encoded, and the parameters that it has no place for."""
    remaining = dict(path_params)

    def fill_in(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name not in path_params:
            return placeholder[0]
        remaining.pop(name, None)
        return quote(str(param_convertors[name].to_string(path_params[name])), safe=UNQUOTED)

    # One pass, so that a value which looks like a placeholder is not filled in again.
    return PARAMETER.sub(fill_in, path), remaining


def relative_location(path: str, query_string: bytes) -> str:
    """The path as a Location without scheme and host, which a proxy may have changed on the way here."""
    # Two slashes would begin a host name (RFC 3986 section 4.2) and send people there.
    location = without_authority(quote(path, safe=UNQUOTED, errors="replace"))
    return f"{location}?{query_string.decode('latin-1')}" if query_string else location

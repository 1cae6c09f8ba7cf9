"""Finds the messages of content files, for Babel."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

Extracted = tuple[int, str, str, list[str]]


def extract_texts(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Extracted]:
    """Yield every text of a TOML file under one of the keys that `options` names; the signature is Babel's."""
    keys = frozenset(options["keys"].split())
    for text in _texts(tomllib.load(file), keys):
        yield 1, "gettext", text, []


def _texts(value: Any, keys: frozenset[str], *, wanted: bool = False) -> Iterator[str]:
    """Every text below `value` that stands under a wanted key. Numbers written as text need no translation."""
    if isinstance(value, str):
        if wanted and not value.isdigit():
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, keys, wanted=wanted)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, keys, wanted=key in keys)

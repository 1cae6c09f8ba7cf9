"""What a client accepts, by its q-values (RFC 9110 section 12.4.2)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from core._headers import RawHeaders

# A header with more alternatives is not from a browser; the rest of it is not looked at.
MOST_ALTERNATIVES = 100
WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
BLANKS = " \t"


def accepted_encodings(headers: RawHeaders, offered: Iterable[str]) -> list[str]:
    """Return those offered content codings that the client accepts, in the order of the offer (section 12.5.3)."""
    fields = [value for name, value in headers if name == b"accept-encoding"]
    if not fields:
        return []
    weights = weights_of(b",".join(fields).decode("latin-1"))
    return [coding for coding in offered if weights.get(coding, weights.get("*", 0.0)) > 0]


@lru_cache(maxsize=64)
def weights_of(field: str) -> Mapping[str, float]:
    """The alternatives of a field, in lower case, each with its weight."""
    alternatives = (item.lower().split(";") for item in field.split(",", MOST_ALTERNATIVES)[:MOST_ALTERNATIVES])
    return {name.strip(BLANKS): _weight(parameters) for name, *parameters in alternatives if name.strip(BLANKS)}


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip(BLANKS) == "q":
            return float(value) if WEIGHT.fullmatch(value.strip(BLANKS)) else 0.0
    return 1.0

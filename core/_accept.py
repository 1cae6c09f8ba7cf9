"""What a client accepts, by its q-values (RFC 9110 section 12.4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from core._headers import Headers

# A header with more alternatives is not from a browser; the rest of it is not looked at.
MOST_ALTERNATIVES = 50


def accepted_encodings(headers: Headers, offered: Iterable[str]) -> list[str]:
    """Return those offered content codings that the client accepts, in the order of the offer (section 12.5.3)."""
    weights = _parse_weights(",".join(headers.getlist("accept-encoding")))
    return [coding for coding in offered if weights.get(coding, weights.get("*", 0.0)) > 0]


@lru_cache(maxsize=256)
def _parse_weights(field: str) -> dict[str, float]:
    weights = {}
    for alternative in field.split(",", MOST_ALTERNATIVES)[:MOST_ALTERNATIVES]:
        name, *parameters = (part.strip().lower() for part in alternative.split(";"))
        weights[name] = next((_number(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
    return weights


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0

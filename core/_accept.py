"""What a client accepts, by its q-values (RFC 9110 section 12.4.2)."""

from __future__ import annotations

from collections.abc import Iterable

from core._headers import Headers

# A header with more alternatives is not from a browser; the rest of it is not looked at.
MOST_ALTERNATIVES = 50


def accepted_encodings(headers: Headers, offered: Iterable[str]) -> list[str]:
    """Return those offered content codings that the client accepts, in the order of the offer (section 12.5.3)."""
    weights = _parse_weights(",".join(headers.getlist("accept-encoding")))
    return [coding for coding in offered if weights.get(coding, weights.get("*", 0.0)) > 0]


def _parse_weights(field: str) -> dict[str, float]:
    weights = {}
    for alternative in field.split(",", MOST_ALTERNATIVES)[:MOST_ALTERNATIVES]:
        name, *parameters = alternative.split(";")
        weights[name.strip().lower()] = _parse_weight(parameters)
    return weights


def _parse_weight(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0

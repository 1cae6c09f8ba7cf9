"""What users of frameworks without sessions write: a signed cookie by itsdangerous."""

import json
from typing import Any

from itsdangerous import BadSignature, TimestampSigner

_signer = TimestampSigner("benchmark")
COOKIE = "session"
MAX_AGE = 14 * 24 * 3600


def read_session(cookie: str | None) -> dict[str, Any]:
    if not cookie:
        return {}
    try:
        found: dict[str, Any] = json.loads(_signer.unsign(cookie, max_age=MAX_AGE))
    except (BadSignature, ValueError):
        return {}
    return found


def write_session(session: dict[str, Any]) -> str:
    return _signer.sign(json.dumps(session, separators=(",", ":"))).decode()

"""What GitHub tells of tokens that somebody published (its secret scanning partner programme).

It signs the body with ECDSA on P-256 and SHA-256, and publishes the keys:
https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import structlog
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.errors import Refusal
from app.inbound import WebhookRefused, is_signed_by
from app.language import N_
from app.outgoing import NoAnswer, call

log = structlog.get_logger(__name__)

KEYS_PATH = "/meta/public_keys/secret_scanning"
KEY_ID = "github-public-key-identifier"
SIGNATURE = "github-public-key-signature"
DEADLINE = 5.0  # Seconds.
KEPT = 60 * 60  # Seconds.
# A key that we do not know is a reason to ask again, but not whenever somebody makes one up.
ASKED_AGAIN_AFTER = 60


class KeysUnknown(Refusal):
    """The keys cannot be had at the moment, so nobody can say who signed; the sender tries again."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(N_("The keys that signatures are checked with cannot be reached."), {"retry-after": "60"})


class Leak(BaseModel):
    """A token, and where it was found. Names that are new to us are none of our business."""

    token: str
    type: str = ""
    url: str = ""


class ScannerKeys:
    """The keys that reports are signed with, kept for an hour. `clock` gives seconds."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self._clock = clock
        self._asked_at: float | None = None
        self._keys: dict[str, str] = {}

    async def find(self, name: str) -> str | None:
        """The key of this name in PEM. Raises KeysUnknown where none could be had so far."""
        age = KEPT + 1 if self._asked_at is None else self._clock() - self._asked_at
        if age > (KEPT if name in self._keys else ASKED_AGAIN_AFTER):
            self._asked_at = self._clock()
            self._keys = await self._fetch() or self._keys
        if not self._keys:
            raise KeysUnknown
        return self._keys.get(name)

    async def _fetch(self) -> dict[str, str]:
        try:
            answer = await call("GET", self.address + KEYS_PATH, deadline=DEADLINE)
        except NoAnswer as reason:
            log.warning("tokens.scanner_keys_failed", reason=str(reason))
            return {}
        listed = (answer.json_object() or {}).get("public_keys") if answer.is_success else None
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        return {str(row.get("key_identifier")): str(row.get("key")) for row in rows}


@lru_cache
def scanner_keys(address: str) -> ScannerKeys:
    """The keys of one address, which all requests of this process share."""
    return ScannerKeys(address)


async def read_report(keys: ScannerKeys, headers: Mapping[str, str], body: bytes) -> list[Leak]:
    """What a report says, once its signature is checked. Raises WebhookRefused and KeysUnknown."""
    name, signature = headers.get(KEY_ID), headers.get(SIGNATURE)
    if not name or not signature:
        raise WebhookRefused
    key = await keys.find(name)
    if key is None or not _is_signed(key, signature, body):
        raise WebhookRefused
    try:
        return TypeAdapter(list[Leak]).validate_python(json.loads(body))
    except (ValueError, RecursionError, ValidationError):
        raise WebhookRefused from None


def label(leak: Leak, *, is_ours: bool) -> dict[str, Any]:  # Any: JSON.
    """What the sender learns of a token: whether it is, or was, one of ours."""
    digest = base64.b64encode(hashlib.sha256(leak.token.encode()).digest()).decode()
    verdict = "true_positive" if is_ours else "false_positive"
    return {"token_hash": digest, "token_type": leak.type, "label": verdict}


def _is_signed(key: str, signature: str, body: bytes) -> bool:
    try:
        return is_signed_by(load_pem_public_key(key.encode()), signature, body)
    except ValueError:
        return False

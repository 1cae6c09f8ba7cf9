"""Secrets in columns: encrypted with a key outside the database, and bound to the row that they belong to.

AES-256-GCM (NIST SP 800-38D). A ciphertext is: one byte for the format, four that name the key, twelve of nonce, then the
encrypted text with its tag of sixteen bytes. The row is authenticated with it, so that whoever can write to the database
cannot move one person's secret into another's row.
"""

import hashlib
import secrets
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = b"\x01"
KEY_NAME_BYTES = 4
NONCE_BYTES = 12
HEAD_BYTES = len(FORMAT) + KEY_NAME_BYTES + NONCE_BYTES


class DecryptionFailed(Exception):
    """A ciphertext was changed, stands in another row than it was made for, or its key is not configured any more."""


def encrypt(keys: Sequence[bytes], text: bytes, *, table: str, row_id: UUID) -> bytes:
    """Encrypt `text` for one row with the first of `keys` (`settings.keys(purpose)`: the present one first)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    head = FORMAT + _name(keys[0]) + nonce
    return head + AESGCM(keys[0]).encrypt(nonce, text, _bound_to(head, table, row_id))


def decrypt(keys: Sequence[bytes], ciphertext: bytes, *, table: str, row_id: UUID) -> bytes:
    """Decrypt what `encrypt` made for this very row with one of `keys`. Raises DecryptionFailed."""
    head, body = ciphertext[:HEAD_BYTES], ciphertext[HEAD_BYTES:]
    name = head[len(FORMAT) : len(FORMAT) + KEY_NAME_BYTES]
    key = next((key for key in keys if _name(key) == name), None)
    if key is None or not head.startswith(FORMAT):
        raise DecryptionFailed("The key of this ciphertext is not among SECRET_KEY and SECRET_KEY_FALLBACKS.")
    try:
        return AESGCM(key).decrypt(head[-NONCE_BYTES:], body, _bound_to(head, table, row_id))
    except InvalidTag:
        raise DecryptionFailed("This ciphertext was changed, or belongs to another row.") from None


def is_outdated(keys: Sequence[bytes], ciphertext: bytes) -> bool:
    """Whether a ciphertext was made with an earlier key, and should be encrypted again when it is next used."""
    return not ciphertext.startswith(FORMAT + _name(keys[0]))


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"name of key" + key).digest()[:KEY_NAME_BYTES]


def _bound_to(head: bytes, table: str, row_id: UUID) -> bytes:
    return head + table.encode() + b"\0" + row_id.bytes

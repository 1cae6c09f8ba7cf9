"""PostgreSQL's way of keeping passwords."""

import base64
import hashlib
import hmac
import secrets
import unicodedata

ITERATIONS = 4096


def scram_verifier(password: str) -> str:
    """What PostgreSQL keeps instead of a password (RFC 5803), so that no statement and no log ever carries it."""
    salt = secrets.token_bytes(16)
    prepared = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"

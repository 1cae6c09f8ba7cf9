"""An authenticator in software: what a browser and a security key send together (WebAuthn level 3, sections 6 and 7)."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class Authenticator:
    """One passkey. What a test sets differently is a lie that the server must see through."""

    origin: str = "https://slipway.test"
    host: str = "slipway.test"
    counter: int = 0
    verifies_person: bool = True
    is_synced: bool = False
    aaguid: bytes = bytes(16)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""

    def register(self, options: dict[str, Any], *, type_: str = "webauthn.create") -> str:
        """The answer of `navigator.credentials.create()` as JSON."""
        self.user_handle = base64url_to_bytes(options["user"]["id"])
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._authenticator_data(self._attested())}
        response = {
            "clientDataJSON": self._client_data(type_, options),
            "attestationObject": encode_cbor(attestation),
        }
        return self._credential(response, {"transports": ["internal"]})

    def sign(self, options: dict[str, Any], *, type_: str = "webauthn.get", user_handle: bytes | None = None) -> str:
        """The answer of `navigator.credentials.get()` as JSON."""
        client_data, data = self._client_data(type_, options), self._authenticator_data()
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
        return self._credential({**response, "userHandle": user_handle or self.user_handle}, {})

    def _client_data(self, type_: str, options: dict[str, Any]) -> bytes:
        said = {"type": type_, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _authenticator_data(self, attested: bytes = b"") -> bytes:
        flags = USER_PRESENT | (USER_VERIFIED if self.verifies_person else 0) | (ATTESTED if attested else 0)
        flags |= BACKUP_ELIGIBLE | BACKED_UP if self.is_synced else 0
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([flags]) + self.counter.to_bytes(4, "big") + attested

    def _attested(self) -> bytes:
        """Attested credential data (section 6.5.1), its key in COSE (RFC 9052): EC2, ES256, P-256."""
        point = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        return self.aaguid + len(self.credential_id).to_bytes(2, "big") + self.credential_id + encode_cbor(public)

    def _credential(self, response: dict[str, bytes], more: dict[str, Any]) -> str:
        written = {name: bytes_to_base64url(value) for name, value in response.items()}
        name = bytes_to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": {**written, **more}})

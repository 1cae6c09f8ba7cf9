"""What an issuer says about itself (OpenID Connect Discovery 1.0), and the keys that it signs with, kept for an hour."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.config_providers import is_loopback
from app.connections.problems import ProviderFailed
from app.outgoing import NoAnswer, call

DEADLINE = 10.0  # Seconds for one call, all of it.
LARGEST = 256 * 1024  # Bytes.
KEPT = 60 * 60  # Seconds.
# An unknown key is a reason to ask again, but not whenever somebody makes one up.
ASKED_AGAIN_AFTER = 60
WELL_KNOWN = "/.well-known/openid-configuration"
# Signatures by a private key. HMAC with the client's secret is not among them: a public key, taken for a secret, would pass.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True)
class Metadata:
    """Where an issuer does what, and how."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    algorithms: tuple[str, ...]
    posts_secret: bool
    names_itself: bool

    @classmethod
    def of(cls, document: dict[str, Any], *, expected: str) -> "Metadata":
        """Read an issuer's document. Raises ProviderFailed if it is somebody else's, or leads out of https."""
        issuer = str(document.get("issuer", ""))
        if not _is_issuer(issuer, expected):
            raise ProviderFailed(f"The document of {expected} is that of another issuer.")
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        offered = document.get("id_token_signing_alg_values_supported") or ["RS256"]
        return cls(
            issuer=issuer,
            authorization_endpoint=_endpoint(document, "authorization_endpoint"),
            token_endpoint=_endpoint(document, "token_endpoint"),
            jwks_uri=_endpoint(document, "jwks_uri"),
            algorithms=tuple(name for name in ALGORITHMS if name in offered),
            posts_secret="client_secret_basic" not in methods,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )


class Issuer:
    """One issuer: its metadata and its keys, asked for when they are needed. `clock` gives seconds."""

    def __init__(
        self, address: str, *, clock: Callable[[], float] = time.monotonic, deadline: float = DEADLINE
    ) -> None:
        self.address = address
        self.deadline = deadline
        self._clock = clock
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def metadata(self) -> Metadata:
        """Raises ProviderFailed."""
        if self._metadata is None or self._clock() - self._metadata[0] > KEPT:
            document = await fetch(self.address.rstrip("/") + WELL_KNOWN, self.deadline)
            self._metadata = self._clock(), Metadata.of(document, expected=self.address)
        return self._metadata[1]

    async def keys(self, *, having: str | None = None) -> KeySet:
        """The issuer's public keys, fetched anew if the one called `having` is not among them. Raises ProviderFailed."""
        if self._keys is None or self._is_stale(self._keys, having):
            document = await fetch((await self.metadata()).jwks_uri, self.deadline)
            self._keys = self._clock(), _key_set(document)
        return self._keys[1]

    def _is_stale(self, kept: tuple[float, KeySet], having: str | None) -> bool:
        age = self._clock() - kept[0]
        is_missing = having is not None and having not in {key.kid for key in kept[1].keys}
        return age > (ASKED_AGAIN_AFTER if is_missing else KEPT)


async def fetch(address: str, deadline: float, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at an address of a provider. Raises ProviderFailed."""
    try:
        answer = await call("GET", address, headers=headers, deadline=deadline, largest=LARGEST)
    except NoAnswer as problem:
        raise ProviderFailed(f"{address}: {problem}") from None
    found = answer.json_object() if answer.is_success else None
    if found is None:
        raise ProviderFailed(f"{address} answered {answer.status_code}, and no JSON object.")
    return found


def is_safe(address: str) -> bool:
    """Whether secrets may travel there: by https, or without leaving this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )


def _is_issuer(issuer: str, expected: str) -> bool:
    """Microsoft's document for accounts of anybody names the tenant by a placeholder; the ID token has the real one."""
    shared = ("/common/", "/organizations/", "/consumers/")
    if issuer.startswith("https://login.microsoftonline.com/{tenantid}/"):
        return any(name in expected for name in shared)
    return issuer == expected


def _endpoint(document: dict[str, Any], name: str) -> str:
    address = document.get(name)
    if not isinstance(address, str) or not is_safe(address):
        raise ProviderFailed(f"The issuer's {name} is missing or not https.")
    return address


def _key_set(document: dict[str, Any]) -> KeySet:
    """The keys for signatures that we can read; a set may hold others, and of kinds that are yet to be invented."""
    usable = [key for key in document.get("keys", []) if isinstance(key, dict) and _is_public_key(key)]
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, KeyError, TypeError):
        raise ProviderFailed("The issuer's keys cannot be read.") from None


def _is_public_key(key: dict[str, Any]) -> bool:
    return key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig" and "d" not in key

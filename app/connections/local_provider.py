"""An OpenID provider in a few lines, for development and tests: it lets everybody be whoever they say."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from app import clock
from app.config_providers import LogInProvider
from app.connections.states import code_challenge

CALLBACK = "/oauth/local/callback"
TOKEN_SECONDS = 300
CODE_SECONDS = 60


class RefusedHere(Exception):
    """The request is not as the standard wants it; the text is the error's code (RFC 6749)."""


@dataclass(frozen=True)
class Request:
    """What a client asks for when it sends somebody here."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str

    @classmethod
    def of(cls, given: dict[str, str]) -> "Request":
        return cls(**{name: given.get(name, "") for name in cls.__annotations__})


@dataclass(frozen=True)
class Grant:
    """What a code stands for."""

    request: Request
    claims: dict[str, Any]
    expires_at: float


class LocalProvider:
    """Keys and codes of one process. `hosts` are those to which people may be sent back."""

    def __init__(self, described: LogInProvider, hosts: tuple[str, ...]) -> None:
        self.described = described
        self._hosts = frozenset(hosts)
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self._grants: dict[str, Grant] = {}

    def metadata(self) -> dict[str, Any]:
        issuer = self.described.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def check(self, asked: Request) -> None:
        """Raises RefusedHere: nobody is sent back to an address that is not the client's."""
        target = urlsplit(asked.redirect_uri)
        is_ours = target.hostname in self._hosts and target.path == CALLBACK
        if asked.client_id != self.described.client_id or not is_ours or not asked.code_challenge:
            raise RefusedHere("invalid_request")

    def consent(self, asked: Request, claims: dict[str, Any]) -> str:
        """Where to send somebody who chose who to be."""
        self.check(asked)
        code = secrets.token_urlsafe(24)
        self._grants[code] = Grant(asked, claims, clock.now().timestamp() + CODE_SECONDS)
        return self._back(asked, {"code": code})

    def decline(self, asked: Request) -> str:
        """Where to send somebody who would rather not."""
        self.check(asked)
        return self._back(asked, {"error": "access_denied"})

    def redeem(self, form: dict[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint. A code works once. Raises RefusedHere."""
        self._authenticate(form)
        grant = self._grants.pop(form.get("code", ""), None)
        now = clock.now().timestamp()
        if grant is None or grant.expires_at <= now or form.get("redirect_uri") != grant.request.redirect_uri:
            raise RefusedHere("invalid_grant")
        if code_challenge(form.get("code_verifier", "")) != grant.request.code_challenge:
            raise RefusedHere("invalid_grant")
        return {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "id_token": self._id_token(grant, int(now)),
        }

    def _authenticate(self, form: dict[str, str]) -> None:
        is_known = form.get("client_id") == self.described.client_id
        given = form.get("client_secret", "").encode()
        if not (is_known and hmac.compare_digest(given, str(self.described.client_secret).encode())):
            raise RefusedHere("invalid_client")

    def _id_token(self, grant: Grant, now: int) -> str:
        claims = {
            "iss": self.described.issuer,
            "aud": self.described.client_id,
            "nonce": grant.request.nonce,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            **grant.claims,
        }
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key, algorithms=["ES256"])

    def _back(self, asked: Request, answer: dict[str, str]) -> str:
        return f"{asked.redirect_uri}?{urlencode({**answer, 'state': asked.state, 'iss': self.described.issuer})}"

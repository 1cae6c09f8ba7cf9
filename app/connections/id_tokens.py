"""Judging an ID token (OpenID Connect Core 1.0 section 3.1.3.7): the signed statement of who logged in at the provider."""

import hmac
import json
import re
from base64 import urlsafe_b64decode
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from app import clock
from app.connections.metadata import Issuer, Metadata
from app.connections.problems import ProofRefused

LEEWAY = 60  # Seconds by which the provider's clock may differ from ours.
LONGEST_TOKEN = 32 * 1024
LONGEST_SUBJECT = 255  # OpenID Connect Core section 2.
TENANT = "{tenantid}"
_TENANT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def verified_claims(issuer: Issuer, token: str, *, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of a token that this issuer signed for this client and this very log-in. Raises ProofRefused."""
    metadata = await issuer.metadata()
    header = _header(token)
    # The algorithm is what the issuer announced, never what the token asks for.
    if header.get("alg") not in metadata.algorithms:
        raise ProofRefused("The ID token is signed in a way that the issuer does not use.")
    kid = header.get("kid")
    keys = await issuer.keys(having=kid if isinstance(kid, str) else None)
    try:
        claims = jwt.decode(token, keys, algorithms=list(metadata.algorithms)).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProofRefused(f"The ID token's signature is wrong: {type(error).__name__}.") from None
    _check(claims, metadata, client_id, nonce)
    return claims


def _header(token: str) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise ProofRefused("What should be an ID token is none.")
    first = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        raise ProofRefused("The ID token's header cannot be read.") from None
    return header if isinstance(header, dict) else {}


def _check(claims: dict[str, Any], metadata: Metadata, client_id: str, nonce: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != _expected_issuer(metadata, claims):
        raise ProofRefused("The ID token is from another issuer.")
    if client_id not in audiences or claims.get("azp", client_id) != client_id:
        raise ProofRefused("The ID token is for another client.")
    if len(audiences) > 1 and "azp" not in claims:
        raise ProofRefused("The ID token is for several clients and does not say who asked.")
    _check_times(claims)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise ProofRefused("The ID token belongs to another log-in.")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or "\0" in subject:
        raise ProofRefused("The ID token names nobody.")


def _expected_issuer(metadata: Metadata, claims: dict[str, Any]) -> str:
    """Microsoft's issuer holds the tenant of whoever logged in."""
    if TENANT not in metadata.issuer:
        return metadata.issuer
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not _TENANT_ID.fullmatch(tenant):
        raise ProofRefused("The ID token does not say of which tenant it is.")
    return metadata.issuer.replace(TENANT, tenant)


def _check_times(claims: dict[str, Any]) -> None:
    now = clock.now().timestamp()
    is_over = _time(claims, "exp") <= now - LEEWAY
    is_early = max(_time(claims, "iat"), _time(claims, "nbf", 0)) > now + LEEWAY
    if is_over or is_early:
        raise ProofRefused("The ID token is over, or not yet good.")


def _time(claims: dict[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProofRefused("The ID token does not say for how long it is good.")
    return value

"""Signature Version 4 of Amazon's APIs (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

A small signer of our own: the SDK is forty times the size of all our providers together, for this one call.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from core.datastructures import Secret

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class AwsKey:
    """An access key: its public id and its secret."""

    id: str
    secret: Secret


def sign(
    key: AwsKey,
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: bytes,
    *,
    region: str,
    service: str,
    at: datetime,
    query: str = "",
) -> dict[str, str]:
    """The headers to add to a request: `x-amz-date` and `authorization`.

    `headers` are those that are sent and signed (with `host`), their names in lower case; `path` and `query` are as they are sent, the
    query's parameters in order. The signature is good for five minutes around `at`.
    """
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signed = dict(sorted({**headers, "x-amz-date": stamp}.items()))
    names = ";".join(signed)
    lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in signed.items())
    canonical = "\n".join((method, path, query, lines, names, hashlib.sha256(content).hexdigest()))
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.digest(_signing_key(key, scope), text.encode(), hashlib.sha256).hex()
    credential = f"{ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"x-amz-date": stamp, "authorization": credential}


def _signing_key(key: AwsKey, scope: str) -> bytes:
    found = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        found = hmac.digest(found, part.encode(), hashlib.sha256)
    return found

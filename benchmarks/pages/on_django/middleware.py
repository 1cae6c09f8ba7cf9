"""Who asks, and which scripts a page may run."""

import hashlib
import secrets
from typing import Any

from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from benchmarks.pages.on_django.models import Session

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def content_security_policy(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.csp_nonce = secrets.token_urlsafe(16)
        response = get_response(request)
        response.headers["Content-Security-Policy"] = POLICY.format(nonce=request.csp_nonce)
        return response

    return middleware


def authentication(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.login = SimpleLazyObject(lambda: _session(request))
        request.user = SimpleLazyObject(lambda: request.login.user if request.login else None)
        return get_response(request)

    return middleware


def _session(request: Any) -> Session | None:
    token = request.COOKIES.get("session")
    now = timezone.now()
    return (
        token
        and Session.objects.filter(
            token_hash=hashlib.sha256(token.encode()).digest(),
            revoked_at=None,
            expires_at__gt=now,
            idle_expires_at__gt=now,
            user__status="active",
        ).first()
    )

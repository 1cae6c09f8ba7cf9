"""Forms that their handlers read: they know first who asks, and how much may come."""

import re

from core.requests import HTTPConnection

# Each handler behind these awaits `core.middleware.csrf.require_csrf_token(request)` before it does anything.
PATHS = re.compile(
    r"/account/profile/avatar|/o/[^/]+/settings/logo|/api/v1/organizations/[^/]+/logo|/(o|api/v1/organizations)/[^/]+/files"
)


def reads_form_itself(connection: HTTPConnection) -> bool:
    """Whether a request's form is left to its handler (`CSRFMiddleware`'s `deferred`)."""
    return PATHS.fullmatch(connection.scope["path"]) is not None

"""What pages behind mailed links have in common: the token leaves the address bar, and nobody learns what it was."""

from app.accounts import pending
from app.pages import UNTRACED, see
from app.templates import render
from core.requests import Request
from core.responses import Response


def keep_link(request: Request, purpose: str, token: str, route: str) -> Response:
    """Move a mailed token into the state cookie, and lead to the page that shows what it is for.

    `purpose` is a `Purpose`, or what another feature calls its own kind of link.
    """
    pending.remember_link(request, purpose, token)
    response = see(request, route)
    response.headers.update(UNTRACED)
    return response


def link_does_not_work(request: Request, purpose: str) -> Response:
    """Say that a link is over, and how to get another."""
    pending.forget_link(request, purpose)
    return render(request, "accounts/link_does_not_work.html", status_code=410, headers=UNTRACED, purpose=purpose)

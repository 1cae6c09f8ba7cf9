"""What pages behind mailed links have in common: the token leaves the address bar, and nobody learns what it was."""

from app.accounts import pending
from app.accounts.models import Purpose
from app.templates import render
from core.requests import Request
from core.responses import RedirectResponse, Response

# A page that was opened by a secret link tells nobody where its visitor came from.
UNTRACED = {"referrer-policy": "no-referrer", "cache-control": "no-store"}


def keep_link(request: Request, purpose: Purpose, token: str, route: str) -> Response:
    """Move a mailed token into the state cookie, and lead to the page that shows what it is for."""
    pending.remember_link(request, purpose, token)
    response = see(request, route)
    response.headers.update(UNTRACED)
    return response


def link_does_not_work(request: Request, purpose: Purpose) -> Response:
    """Say that a link is over, and how to get another."""
    pending.forget_link(request, purpose)
    return render(request, "accounts/link_does_not_work.html", status_code=410, headers=UNTRACED, purpose=purpose)


def see(request: Request, route: str) -> Response:
    """Lead to another page by GET. It may depend on who asks, so no cache keeps it."""
    path = str(request.app.url_path_for(route))
    return RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})

"""What is remembered of somebody who has not logged in yet: in the signed state cookie, for an hour at most."""

from app.accounts.limits import may_mail_code
from app.accounts.redirects import safe_path
from app.accounts.sessions import new_token
from app.templates import FLASHES
from core.requests import Request

ADDRESS = "pending_address"
NEXT = "pending_next"
REMEMBERED = "pending_remembered"
BROWSER = "browser"
LINK = "pending_link."
CHALLENGE = "pending_challenge"
INVITATION = "pending_invitation"
LONGEST_TOKEN = 200  # Characters; ours are shorter, and the cookie has to hold them.


def remember_address(request: Request, address: str, next_path: str = "", *, is_remembered: bool = False) -> None:
    """Remember to which address a message went, where its owner wanted to go, and whether to stay logged in."""
    request.session[ADDRESS] = address
    request.session[REMEMBERED] = is_remembered
    if next_path:
        request.session[NEXT] = next_path


def pending_address(request: Request) -> str:
    """The address to which a message went, or nothing."""
    return str(request.session.get(ADDRESS, ""))


def pending_next(request: Request) -> str:
    """Where somebody wanted to go before they had to sign up, or nothing."""
    return safe_path(str(request.session.get(NEXT, "")))


def is_remembered(request: Request) -> bool:
    """Whether somebody asked to stay logged in when they asked for a message."""
    return request.session.get(REMEMBERED) is True


def browser_key(request: Request) -> str:
    """A secret of this browser, made when it is first needed: a mailed code works beside no other."""
    return str(request.session.setdefault(BROWSER, new_token()))


async def browser_for_code(request: Request, address: str) -> str:
    """The secret that binds a new code to this browser; nothing once an address has had its codes of this hour."""
    return browser_key(request) if await may_mail_code(request, address) else ""


def remember_link(request: Request, purpose: str, token: str) -> None:
    """Move a mailed token out of the address bar, from where it would leak into histories and logs."""
    request.session[LINK + purpose] = token[:LONGEST_TOKEN]


def pending_link(request: Request, purpose: str) -> str:
    return str(request.session.get(LINK + purpose, ""))


def forget_link(request: Request, purpose: str) -> None:
    request.session.pop(LINK + purpose, None)


def remember_invitation(request: Request, address: str) -> None:
    """Remember which address has been invited, after its invitation's link was opened and found to work."""
    request.session[INVITATION] = address


def pending_invitation(request: Request) -> str:
    """The address whose invitation this browser has opened, or nothing."""
    return str(request.session.get(INVITATION, ""))


def remember_challenge(request: Request, token: str) -> None:
    """Remember which half-finished log-in this browser may finish; what was proved is in the database, not here."""
    request.session[CHALLENGE] = token


def pending_challenge(request: Request) -> str:
    return str(request.session.get(CHALLENGE, ""))


def forget_challenge(request: Request) -> None:
    request.session.pop(CHALLENGE, None)


def forget_everything(request: Request) -> None:
    """Drop what was collected before logging in; only messages that wait to be shown survive."""
    for key in [key for key in request.session if key != FLASHES]:
        del request.session[key]


def masked(address: str) -> str:
    """An address that its owner recognizes and a passer-by cannot write down: "a•••@example.com"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}" if domain else ""

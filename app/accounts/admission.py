"""Who may sign up: everybody, nobody, the invited, or the people of certain domains. Every way of signing up asks here."""

from app.accounts import pending
from app.config import Settings
from app.language import gettext as _
from app.pages import see
from app.templates import render
from core.requests import Request
from core.responses import Response

INVITED_ONLY = frozenset({"invitation", "waitlist"})


def closed_door(request: Request, settings: Settings, *, status_code: int = 200) -> Response | None:
    """What somebody sees who may not sign up, whatever their address; None for everybody else."""
    if settings.sign_up == "closed":
        return render(request, "accounts/sign_up_closed.html", status_code=status_code)
    if settings.sign_up not in INVITED_ONLY or pending.pending_invitation(request):
        return None
    if settings.sign_up == "waitlist":
        return see(request, "waitlist.show")
    return render(request, "accounts/sign_up_by_invitation.html", status_code=status_code)


def address_problem(request: Request, settings: Settings, address: str) -> str | None:
    """Why somebody may not sign up with this address, in a sentence for them, or None. It says nothing about accounts."""
    if settings.sign_up == "closed":
        return _("No new accounts are taken at the moment.")
    if settings.sign_up in INVITED_ONLY:
        invited = pending.pending_invitation(request)
        if address.lower() == invited.lower():
            return None
        return (
            _("Your invitation is for %(address)s.") % {"address": invited} if invited else _("You need an invitation.")
        )
    if settings.sign_up == "domains" and address.rpartition("@")[2].lower() not in settings.sign_up_domains:
        return _("Sign up with an address at %(domains)s.") % {"domains": ", ".join(settings.sign_up_domains)}
    return None

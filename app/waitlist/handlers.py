"""The pages of those who wait for a place."""

from typing import Annotated

from app.accounts import limits, pending
from app.config import Settings, current_settings
from app.database import Db
from app.pages import UNTRACED, path_of, see
from app.templates import render
from app.waitlist import actions, queries
from app.waitlist.forms import WaitlistForm
from core.exceptions import HTTPException
from core.params import Depends, Submitted
from core.requests import Request
from core.responses import RedirectResponse, Response


async def waiting_settings(request: Request) -> Settings:
    """The settings, while there is a list to wait on; without one its pages do not exist."""
    settings = current_settings(request)
    if settings.sign_up != "waitlist":
        raise HTTPException(404)
    return settings


WaitingSettings = Annotated[Settings, Depends(waiting_settings)]


async def show(request: Request, _settings: WaitingSettings) -> Response:
    """Show the form that puts an address on the list."""
    return render(request, "waitlist/show.html", form=Submitted.blank(WaitlistForm))


async def join(request: Request, settings: WaitingSettings, db: Db, form: Submitted[WaitlistForm]) -> Response:
    """Put an address on the list; the answer is the same whether it was there already or not."""
    if not form.is_valid:
        return render(request, "waitlist/show.html", form=form)
    await limits.limit(request, limits.MESSAGE, form.data.email)
    await actions.join_waitlist(db, settings, address=form.data.email)
    return see(request, "waitlist.joined")


async def joined(request: Request, _settings: WaitingSettings) -> Response:
    """Say what happens next."""
    return render(request, "waitlist/joined.html")


async def follow(request: Request, db: Db, token: str) -> Response:
    """Lead somebody whose turn has come to the sign-up form. The link works until it expires, so looking uses nothing up."""
    entry = await queries.find_invited(db, token)
    if entry is None:
        return render(request, "waitlist/link_does_not_work.html", status_code=410, headers=UNTRACED)
    pending.remember_invitation(request, entry.address)
    return RedirectResponse(path_of(request, "accounts.sign_up"), status_code=303, headers=UNTRACED)

"""The local OpenID provider's pages, which exist outside production only: choose who to be, and go back as them."""

import hashlib
from typing import Annotated, Any

from app.config import current_settings
from app.config_providers import LOCAL_PATH, local_provider
from app.connections.local_provider import LocalProvider, RefusedHere
from app.connections.local_provider import Request as Asked
from app.connections.metadata import WELL_KNOWN
from app.forms import EmailAddress, Form, Line
from app.pages import NEVER_STORED
from app.policy import public
from app.templates import render
from core.datastructures import Secret
from core.exceptions import HTTPException
from core.params import Depends, Submitted
from core.requests import Request
from core.responses import JSONResponse, RedirectResponse, Response
from core.routing import BaseRoute, Route


class WhoForm(Form):
    """Who somebody wants to be. `subject` stays what it is when the address changes."""

    name: Line
    email: EmailAddress
    subject: Line = ""
    is_verified: bool = False


async def current_provider(request: Request) -> LocalProvider:
    """The provider of this process. Its keys and codes do not outlive it."""
    found: LocalProvider | None = getattr(request.app.state, "local_provider", None)
    if found is None:
        settings = current_settings(request)
        named = next((each for each in settings.log_in_providers if each.key == "local"), None)
        described = named or local_provider(settings.base_url, Secret(settings.key("unused").hex()))
        found = request.app.state.local_provider = LocalProvider(described, settings.allowed_hosts)
    return found


Provider = Annotated[LocalProvider, Depends(current_provider)]


async def describe(provider: Provider) -> Response:
    """Say where what is (OpenID Connect Discovery)."""
    return JSONResponse(provider.metadata())


async def show_keys(provider: Provider) -> Response:
    """Show the public keys."""
    return JSONResponse(provider.keys())


async def authorize(request: Request, provider: Provider) -> Response:
    """Ask who to be."""
    asked = _checked(provider, Asked.of(dict(request.query_params)))
    blank = Submitted.blank(WhoForm, name="Ada Lovelace", email="ada@example.com", is_verified="true")
    return render(request, "connections/local_provider.html", form=blank, asked=asked)


async def consent(request: Request, provider: Provider, form: Submitted[WhoForm]) -> Response:
    """Send somebody back as who they chose to be."""
    given = {name: str(value) for name, value in (await request.form()).items()}
    asked = _checked(provider, Asked.of(given))
    if "decline" in given:
        return RedirectResponse(provider.decline(asked), status_code=303)
    if not form.is_valid:
        return render(request, "connections/local_provider.html", form=form, asked=asked)
    return RedirectResponse(provider.consent(asked, _claims(form.data)), status_code=303)


async def redeem(request: Request, provider: Provider) -> Response:
    """Give an ID token for a code."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        return JSONResponse(provider.redeem(form), headers=NEVER_STORED)
    except RefusedHere as refusal:
        return JSONResponse({"error": str(refusal)}, status_code=400)


def _checked(provider: LocalProvider, asked: Asked) -> Asked:
    try:
        provider.check(asked)
    except RefusedHere:
        raise HTTPException(400, "No client of this provider sent you here.") from None
    return asked


def _claims(who: WhoForm) -> dict[str, Any]:
    """The same address is the same account next time, unless a subject is given."""
    subject = who.subject or hashlib.sha256(who.email.lower().encode()).hexdigest()[:24]
    return {"sub": subject, "name": who.name, "email": who.email, "email_verified": who.is_verified}


development_routes: list[BaseRoute] = [
    public(Route(LOCAL_PATH + WELL_KNOWN, describe, name="connections.describe_local_provider")),
    public(Route(f"{LOCAL_PATH}/jwks", show_keys, name="connections.show_local_keys")),
    public(Route(f"{LOCAL_PATH}/authorize", authorize, name="connections.authorize_locally")),
    public(Route(f"{LOCAL_PATH}/authorize", consent, methods=["POST"], name="connections.consent_locally")),
    public(Route(f"{LOCAL_PATH}/token", redeem, methods=["POST"], name="connections.redeem_locally")),
]

"""The provider that a request is about."""

from typing import Annotated

from app.config import Settings, current_settings
from app.connections.client import Client
from app.email.links import absolute
from core.exceptions import HTTPException
from core.params import Depends
from core.requests import Request


async def current_client(request: Request, provider: str) -> Client:
    """Us, as the path's provider knows us. Raises HTTPException(404) for one that is not switched on.

    It keeps what the provider says about itself, so there is one for each provider and process.
    """
    clients: dict[str, Client] | None = getattr(request.app.state, "provider_clients", None)
    if clients is None:
        clients = request.app.state.provider_clients = clients_of(current_settings(request))
    if provider not in clients:
        raise HTTPException(404)
    return clients[provider]


CurrentClient = Annotated[Client, Depends(current_client)]


def clients_of(settings: Settings) -> dict[str, Client]:
    """A client for each provider of the settings."""
    return {
        provider.key: Client(provider, absolute(settings, f"/oauth/{provider.key}/callback"))
        for provider in settings.log_in_providers
    }

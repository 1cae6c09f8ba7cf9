"""The way to a provider and back, a person's connections, and the local provider of development."""

from app.connections import api, handlers, pages
from app.connections.development import development_routes as development_routes
from app.features import AccountItem
from app.language import N_
from app.policy import public
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    public(Route("/oauth/{provider}/start", handlers.start, methods=["POST"], name="connections.start")),
    public(Route("/oauth/{provider}/callback", handlers.callback, name="connections.callback")),
    Route("/oauth/{provider}/connect", handlers.ask_to_connect, name="connections.ask_to_connect"),
    Route(
        "/oauth/{provider}/connect", handlers.start_connecting, methods=["POST"], name="connections.start_connecting"
    ),
    Route("/account/connections", pages.list_connections, name="connections.list_connections"),
    Route(
        "/account/connections/{identity_id:uuid}/disconnect",
        pages.ask_to_disconnect,
        name="connections.ask_to_disconnect",
    ),
    Route(
        "/account/connections/{identity_id:uuid}/disconnect",
        pages.disconnect,
        methods=["POST"],
        name="connections.disconnect",
    ),
    Route("/api/v1/me/connections", api.list_own_connections, name="connections.list_own_connections"),
    Route(
        "/api/v1/me/connections/{identity_id:uuid}",
        api.disconnect_own,
        methods=["DELETE"],
        name="connections.disconnect_own",
    ),
]

account_navigation = [AccountItem(N_("Connections"), "connections.list_connections", icon="globe", position=70)]

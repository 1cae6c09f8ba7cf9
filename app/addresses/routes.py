"""The pages below /account/emails, and /api/v1/me/emails."""

from app.addresses import api, handlers
from app.features import AccountItem
from app.language import N_
from app.policy import public
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/account/emails", handlers.emails, name="addresses.emails"),
    Route("/account/emails/add", handlers.add, name="addresses.add"),
    Route("/account/emails/add", handlers.create, methods=["POST"], name="addresses.create"),
    # Links out of messages: whoever opens one may be logged out, or logged in as somebody else.
    public(Route("/account/emails/confirm", handlers.show_link, name="addresses.show_link")),
    Route("/account/emails/confirm", handlers.confirm, methods=["POST"], name="addresses.confirm"),
    public(Route("/account/emails/undo", handlers.show_undo, name="addresses.show_undo")),
    public(Route("/account/emails/undo", handlers.undo, methods=["POST"], name="addresses.undo")),
    Route("/account/emails/{email_id:uuid}/again", handlers.send_again, methods=["POST"], name="addresses.send_again"),
    Route("/account/emails/{email_id:uuid}/primary", handlers.ask_primary, name="addresses.ask_primary"),
    Route(
        "/account/emails/{email_id:uuid}/primary",
        handlers.make_primary,
        methods=["POST"],
        name="addresses.make_primary",
    ),
    Route("/account/emails/{email_id:uuid}/remove", handlers.ask_removal, name="addresses.ask_removal"),
    Route("/account/emails/{email_id:uuid}/remove", handlers.remove, methods=["POST"], name="addresses.remove"),
    Route("/api/v1/me/emails", api.list_addresses, name="addresses.list_addresses"),
    Route("/api/v1/me/emails", api.add_address, methods=["POST"], name="addresses.add_address"),
    Route(
        "/api/v1/me/emails/{email_id:uuid}/confirmation",
        api.send_confirmation,
        methods=["POST"],
        name="addresses.send_confirmation",
    ),
    Route(
        "/api/v1/me/emails/{email_id:uuid}/primary",
        api.make_primary,
        methods=["POST"],
        name="addresses.make_primary_by_api",
    ),
    Route("/api/v1/me/emails/{email_id:uuid}", api.remove_address, methods=["DELETE"], name="addresses.remove_address"),
]

account_navigation = [AccountItem(N_("E-mail addresses"), "addresses.emails", icon="mail", position=20)]

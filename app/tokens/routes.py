"""The pages of a person's tokens, and what scripts ask about them."""

from app.features import AccountItem
from app.inbound import LARGEST_WEBHOOK
from app.language import N_
from app.policy import public
from app.tokens import api, handlers, leak_handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/account/tokens", handlers.list_tokens, name="tokens.list_tokens"),
    Route("/account/tokens/new", handlers.new_token, name="tokens.new_token"),
    Route("/account/tokens/new", handlers.create_token, methods=["POST"], name="tokens.create_token"),
    Route(
        "/account/tokens/{token_id:uuid}/revoke", handlers.revoke_token, methods=["POST"], name="tokens.revoke_token"
    ),
    # The sender proves itself by its signature.
    public(
        Route(
            "/hooks/tokens/leaked",
            leak_handlers.receive_leaks,
            methods=["POST"],
            name="tokens.receive_leaks",
            max_body_size=LARGEST_WEBHOOK,
        )
    ),
    Route("/api/v1/me/tokens", api.list_own_tokens, name="tokens.list_own_tokens"),
    Route(
        "/api/v1/me/tokens/{token_id:uuid}", api.revoke_own_token, methods=["DELETE"], name="tokens.revoke_own_token"
    ),
]

account_navigation = [AccountItem(N_("Access tokens"), "tokens.list_tokens", icon="code", position=90)]

"""The addresses under which people prove again who they are. `ConfirmedSession` leads to the first."""

from app.identity import handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/confirm-identity", handlers.confirm_identity, name="identity.confirm_identity"),
    Route("/confirm-identity", handlers.confirm_with_password, methods=["POST"], name="identity.confirm_with_password"),
    Route("/confirm-identity/send", handlers.send_code, methods=["POST"], name="identity.send_code"),
    Route("/confirm-identity/code", handlers.code, name="identity.code"),
    Route("/confirm-identity/code", handlers.confirm_with_code, methods=["POST"], name="identity.confirm_with_code"),
]

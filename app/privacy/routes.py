"""The pages /account/export and /account/delete, and the link that keeps an account."""

from app.features import AccountItem
from app.language import N_
from app.policy import public
from app.privacy import handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/account/export", handlers.export, name="privacy.export"),
    Route("/account/export", handlers.request_export, methods=["POST"], name="privacy.request_export"),
    Route("/account/export/{export_id:uuid}/download", handlers.download, name="privacy.download"),
    Route("/account/delete", handlers.ask_deletion, name="privacy.ask_deletion"),
    Route("/account/delete", handlers.delete, methods=["POST"], name="privacy.delete"),
    # Whoever opens this link is logged out: closing the account ended every session.
    public(Route("/account/keep", handlers.keep, name="privacy.keep")),
    public(Route("/account/keep", handlers.keep_account, methods=["POST"], name="privacy.keep_account")),
]

account_navigation = [
    AccountItem(N_("Your data"), "privacy.export", icon="database", position=110),
    AccountItem(N_("Delete account"), "privacy.ask_deletion", icon="trash", position=120),
]

"""The addresses under which passwords are replaced: two for people who cannot log in, one for those who are."""

from app.features import AccountItem
from app.language import N_
from app.passwords import handlers
from app.policy import public
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    public(Route("/forgot-password", handlers.forgot_password, name="passwords.forgot_password")),
    public(Route("/forgot-password", handlers.request_reset, methods=["POST"], name="passwords.request_reset")),
    public(Route("/forgot-password/sent", handlers.check_mail, name="passwords.check_mail")),
    public(Route("/reset-password", handlers.reset_password, name="passwords.reset_password")),
    public(Route("/reset-password", handlers.set_new_password, methods=["POST"], name="passwords.set_new_password")),
    Route("/account/password", handlers.password, name="passwords.password"),
    Route("/account/password", handlers.change_password, methods=["POST"], name="passwords.change_password"),
    Route(
        "/account/password/first",
        handlers.request_first_password,
        methods=["POST"],
        name="passwords.request_first_password",
    ),
]

account_navigation = [AccountItem(N_("Password"), "passwords.password", "lock", position=30)]

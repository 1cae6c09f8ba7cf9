"""/account/two-factor and /account/passkeys, the second question of the log-in, and logging in by a passkey."""

from app.features import AccountItem, ConfirmationWay
from app.language import N_
from app.policy import public
from app.two_factor import api, challenge_handlers, confirmation, handlers, lost_access_handlers, passkey_handlers
from app.two_factor.lost_access_emails import FINISH_PATH, STOP_PATH
from core.routing import BaseRoute, Route

ACCOUNT = "/account/two-factor"
PASSKEYS = "/account/passkeys"
CHALLENGE = "/log-in/two-factor"
LOST_ACCESS = f"{CHALLENGE}/lost-access"
CONFIRM = "/confirm-identity/two-factor"

account_routes: list[BaseRoute] = [
    Route(ACCOUNT, handlers.overview, name="two_factor.overview"),
    Route(f"{ACCOUNT}/app", handlers.set_up_app, name="two_factor.set_up_app"),
    Route(f"{ACCOUNT}/app", handlers.begin_app, methods=["POST"], name="two_factor.begin_app"),
    Route(f"{ACCOUNT}/app/confirm", handlers.confirm_app, methods=["POST"], name="two_factor.confirm_app"),
    Route(f"{ACCOUNT}/app/remove", handlers.ask_to_remove_app, name="two_factor.ask_to_remove_app"),
    Route(f"{ACCOUNT}/app/remove", handlers.remove_app, methods=["POST"], name="two_factor.remove_app"),
    Route(f"{ACCOUNT}/recovery-codes", handlers.ask_for_recovery_codes, name="two_factor.ask_for_recovery_codes"),
    Route(
        f"{ACCOUNT}/recovery-codes",
        handlers.replace_recovery_codes,
        methods=["POST"],
        name="two_factor.replace_recovery_codes",
    ),
    Route(CONFIRM, confirmation.confirm, name="two_factor.confirm"),
    Route(CONFIRM, confirmation.confirm_with_factor, methods=["POST"], name="two_factor.confirm_with_factor"),
    Route(PASSKEYS, passkey_handlers.passkeys, name="two_factor.passkeys"),
    Route(f"{PASSKEYS}/new", passkey_handlers.new_passkey, name="two_factor.new_passkey"),
    Route(f"{PASSKEYS}/new", passkey_handlers.add_passkey, methods=["POST"], name="two_factor.add_passkey"),
    Route(
        f"{PASSKEYS}/new/options",
        passkey_handlers.passkey_registration_options,
        methods=["POST"],
        name="two_factor.passkey_registration_options",
    ),
    Route(
        f"{PASSKEYS}/confirm/options",
        passkey_handlers.passkey_confirmation_options,
        methods=["POST"],
        name="two_factor.passkey_confirmation_options",
    ),
    Route(f"{PASSKEYS}/{{passkey_id:uuid}}", passkey_handlers.passkey, name="two_factor.passkey"),
    Route(
        f"{PASSKEYS}/{{passkey_id:uuid}}",
        passkey_handlers.rename_passkey,
        methods=["POST"],
        name="two_factor.rename_passkey",
    ),
    Route(
        f"{PASSKEYS}/{{passkey_id:uuid}}/remove",
        passkey_handlers.ask_to_remove_passkey,
        name="two_factor.ask_to_remove_passkey",
    ),
    Route(
        f"{PASSKEYS}/{{passkey_id:uuid}}/remove",
        passkey_handlers.remove_passkey,
        methods=["POST"],
        name="two_factor.remove_passkey",
    ),
]

log_in_routes: list[BaseRoute] = [
    public(Route(CHALLENGE, challenge_handlers.challenge, name="two_factor.challenge")),
    public(Route(CHALLENGE, challenge_handlers.answer_challenge, methods=["POST"], name="two_factor.answer_challenge")),
    public(
        Route(
            f"{CHALLENGE}/options",
            challenge_handlers.challenge_options,
            methods=["POST"],
            name="two_factor.challenge_options",
        )
    ),
    public(Route(f"{CHALLENGE}/recovery-code", challenge_handlers.recovery_code, name="two_factor.recovery_code")),
    public(
        Route(
            f"{CHALLENGE}/recovery-code",
            challenge_handlers.answer_with_recovery_code,
            methods=["POST"],
            name="two_factor.answer_with_recovery_code",
        )
    ),
    public(
        Route(
            f"{CHALLENGE}/cancel",
            challenge_handlers.cancel_challenge,
            methods=["POST"],
            name="two_factor.cancel_challenge",
        )
    ),
    public(
        Route(
            "/log-in/passkey/options",
            challenge_handlers.passkey_log_in_options,
            methods=["POST"],
            name="two_factor.passkey_log_in_options",
        )
    ),
    public(
        Route(
            "/log-in/passkey",
            challenge_handlers.log_in_with_passkey,
            methods=["POST"],
            name="two_factor.log_in_with_passkey",
        )
    ),
    public(
        Route("/.well-known/passkey-endpoints", passkey_handlers.passkey_endpoints, name="two_factor.passkey_endpoints")
    ),
]

lost_access_routes: list[BaseRoute] = [
    public(Route(LOST_ACCESS, lost_access_handlers.lost_access, name="two_factor.lost_access")),
    public(
        Route(LOST_ACCESS, lost_access_handlers.ask_for_removal, methods=["POST"], name="two_factor.ask_for_removal")
    ),
    public(Route(STOP_PATH, lost_access_handlers.show_stop, name="two_factor.show_stop")),
    public(Route(STOP_PATH, lost_access_handlers.stop_removal, methods=["POST"], name="two_factor.stop_removal")),
    public(Route(FINISH_PATH, lost_access_handlers.show_finish, name="two_factor.show_finish")),
    public(Route(FINISH_PATH, lost_access_handlers.finish_removal, methods=["POST"], name="two_factor.finish_removal")),
]

api_routes: list[BaseRoute] = [
    Route("/api/v1/me/second-factors", api.show_second_factors, name="two_factor.show_second_factors"),
]

routes: list[BaseRoute] = [*account_routes, *log_in_routes, *lost_access_routes, *api_routes]

account_navigation = [
    AccountItem(N_("Two-step log-in"), "two_factor.overview", icon="shield", position=40),
    AccountItem(N_("Passkeys"), "two_factor.passkeys", icon="key", position=50),
]

confirmation_ways = [
    ConfirmationWay(N_("Use a code or a passkey"), "two_factor.confirm", icon="shield", is_open=confirmation.has_factor)
]

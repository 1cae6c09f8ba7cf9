"""The entry pages, which are open to anyone (most send people who are logged in on to their dashboard), and /api/v1/me."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import actions, api, handlers, queries, strength_api
from app.policy import public
from app.terms import TERMS_VERSION
from core.middleware import Middleware
from core.middleware.ratelimit import RateLimit, RateLimitMiddleware
from core.routing import BaseRoute, Route

DEMO_NAME = "Demo Person"
DEMO_EMAIL = "demo@example.com"
DEMO_PASSWORD = "launch the ship at noon"  # noqa: S105 - printed by `python -m app dev`, and seeded in development only.
# A meter asks with every pause in typing. It costs no statement, so each process counts for itself.
STRENGTH_LIMIT = RateLimit("password_strength", allowed=240, seconds=60, paths=("/password-strength",))

routes: list[BaseRoute] = [
    public(Route("/sign-up", handlers.sign_up, name="accounts.sign_up")),
    public(Route("/sign-up", handlers.create_account, methods=["POST"], name="accounts.create_account")),
    public(Route("/verify-email", handlers.verify_email, name="accounts.verify_email")),
    public(Route("/verify-email", handlers.confirm_email, methods=["POST"], name="accounts.confirm_email")),
    public(Route("/verify-email/sent", handlers.check_mail, name="accounts.check_mail")),
    public(
        Route(
            "/verify-email/sent",
            handlers.confirm_email_with_code,
            methods=["POST"],
            name="accounts.confirm_email_with_code",
        )
    ),
    public(
        Route(
            "/verify-email/again",
            handlers.send_verification_again,
            methods=["POST"],
            name="accounts.send_verification_again",
        )
    ),
    public(
        Route(
            "/password-strength",
            strength_api.measure,
            methods=["POST"],
            middleware=[Middleware(RateLimitMiddleware, limits=[STRENGTH_LIMIT])],
            name="accounts.password_strength",
        )
    ),
    public(Route("/log-in", handlers.log_in, name="accounts.log_in")),
    public(Route("/log-in", handlers.log_in_with_password, methods=["POST"], name="accounts.log_in_with_password")),
    public(Route("/log-out", handlers.log_out, methods=["POST"], name="accounts.log_out")),
    Route("/api/v1/me", api.show_me, name="accounts.show_me"),
]


async def seed(db: AsyncSession) -> None:
    """The person of the demonstration, once."""
    if await queries.find_user(db, DEMO_EMAIL) is None:
        user = await actions.create_verified_user(db, name=DEMO_NAME, email=DEMO_EMAIL, password=DEMO_PASSWORD)
        user.terms_version = TERMS_VERSION

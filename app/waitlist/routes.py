"""The pages below /waitlist."""

from app.policy import public
from app.waitlist import handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    public(Route("/waitlist", handlers.show, name="waitlist.show")),
    public(Route("/waitlist", handlers.join, methods=["POST"], name="waitlist.join")),
    public(Route("/waitlist/joined", handlers.joined, name="waitlist.joined")),
    public(Route("/waitlist/{token}", handlers.follow, name="waitlist.follow")),
]

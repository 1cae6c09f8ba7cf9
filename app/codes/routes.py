"""The addresses under which people log in by mail, open to anyone who is not logged in."""

from app.codes import handlers
from app.policy import public
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    public(Route("/log-in/code", handlers.ask, name="codes.ask")),
    public(Route("/log-in/code", handlers.send, methods=["POST"], name="codes.send")),
    public(Route("/log-in/code/sent", handlers.check_mail, name="codes.check_mail")),
    public(Route("/log-in/code/sent", handlers.log_in_with_code, methods=["POST"], name="codes.log_in_with_code")),
    public(Route("/log-in/code/link", handlers.link, name="codes.link")),
    public(Route("/log-in/code/link", handlers.log_in_with_link, methods=["POST"], name="codes.log_in_with_link")),
]

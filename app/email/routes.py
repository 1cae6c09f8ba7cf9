"""The addresses of the development mailbox."""

from app.email import handlers
from app.policy import public
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = []

# Anyone may read them: they exist only where the product runs for its developers.
development_routes: list[BaseRoute] = [
    public(Route("/dev/mailbox", handlers.mailbox, name="email.mailbox")),
    public(Route("/dev/mailbox.json", handlers.mailbox_as_json, name="email.mailbox_as_json")),
    public(Route("/dev/mailbox/{email_id:uuid}", handlers.message, name="email.message")),
    public(Route("/dev/mailbox/{email_id:uuid}/html", handlers.message_html, name="email.message_html")),
]

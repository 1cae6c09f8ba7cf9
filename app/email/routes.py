"""The addresses of the development mailbox, of unsubscribing, and those that providers call."""

from app.email import handlers, hook_handlers, preview_handlers, subscription_handlers
from app.inbound import LARGEST_WEBHOOK
from app.policy import public
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    # Each provider proves itself by its signature.
    public(
        Route(
            "/hooks/email/{provider}",
            hook_handlers.receive,
            methods=["POST"],
            name="email.receive",
            max_body_size=LARGEST_WEBHOOK,
        )
    ),
    # The link itself is the proof: whoever reads the address's messages may end them.
    public(Route("/unsubscribe/{token}", subscription_handlers.ask, name="email.ask_to_unsubscribe")),
    public(
        Route("/unsubscribe/{token}", subscription_handlers.unsubscribe, methods=["POST"], name="email.unsubscribe")
    ),
]

# Anyone may read them: they exist only where the product runs for its developers.
development_routes: list[BaseRoute] = [
    public(Route("/dev/mailbox", handlers.mailbox, name="email.mailbox")),
    public(Route("/dev/mailbox.json", handlers.mailbox_as_json, name="email.mailbox_as_json")),
    public(Route("/dev/mailbox/{email_id:uuid}", handlers.message, name="email.message")),
    public(Route("/dev/mailbox/{email_id:uuid}/html", handlers.message_html, name="email.message_html")),
    public(Route("/dev/emails", preview_handlers.previews, name="email.previews")),
    public(Route("/dev/emails/{template:path}/html", preview_handlers.preview_html, name="email.preview_html")),
    public(Route("/dev/emails/{template:path}", preview_handlers.preview, name="email.preview")),
]

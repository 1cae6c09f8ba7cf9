"""The development mailbox: every message the product sent, without any account anywhere."""

from typing import Annotated, Any
from uuid import UUID

from app.database import Db
from app.email import queries
from app.email.links import links_in
from app.email.models import EmailMessage
from app.pages import NEVER_STORED
from app.templates import iso, render
from core.params import Query
from core.requests import Request
from core.responses import HTMLResponse, JSONResponse, Response

# The message is shown in a frame of its own, as a mail program would: no script, no form, no request but for images. The
# sandbox takes even our own origin from it. A link that is clicked opens in the whole window.
MESSAGE_POLICY = (
    "sandbox allow-top-navigation-by-user-activation allow-popups; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data: https: http:; base-uri 'self'; frame-ancestors 'self'"
)
MESSAGE_HEADERS = {
    "content-security-policy": MESSAGE_POLICY,
    "x-frame-options": "SAMEORIGIN",
    **NEVER_STORED,
}


async def mailbox(request: Request, db: Db, to: Annotated[str, Query()] = "") -> Response:
    """The messages, newest first."""
    messages = await queries.list_messages(db, to_address=to or None)
    return render(request, "email/mailbox.html", messages=messages, to=to)


async def mailbox_as_json(request: Request, db: Db, to: Annotated[str, Query()] = "") -> Response:
    """The messages for programs (tests above all): an array, newest first."""
    messages = await queries.list_messages(db, to_address=to or None)
    return JSONResponse([_as_json(message) for message in messages], headers=NEVER_STORED)


async def message(request: Request, db: Db, email_id: UUID) -> Response:
    """One message: as a mail program shows it, its text part, its links."""
    found = await queries.get_message(db, email_id)
    return render(request, "email/message.html", message=found, links=links_in(text=found.text, html=found.html))


async def message_html(request: Request, db: Db, email_id: UUID) -> Response:
    """The HTML part alone, for the frame on the message's page."""
    found = await queries.get_message(db, email_id)
    html = found.html.replace("<head>", '<head><base target="_top">', 1)
    return HTMLResponse(html, headers=MESSAGE_HEADERS)


def _as_json(message: EmailMessage) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "to": message.to_address,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "links": links_in(text=message.text, html=message.html),
        "created_at": iso(message.created_at),
        "status": message.status,
    }

"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send"""

import json
from email.utils import parseaddr

from app.email.models import EmailMessage
from app.email.providers.http_api import HttpApi
from app.email.providers.interface import DEADLINE, CannotTell

SENDGRID = "https://api.sendgrid.com"


class SendGrid:
    """It has no idempotency key, so what may have been sent is not sent again."""

    name = "sendgrid"
    keeps_messages = False
    recognizes_repetition = False

    def __init__(self, api_key: str, sender: str, *, url: str = SENDGRID, deadline: float = DEADLINE) -> None:
        headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
        self._api = HttpApi(url, headers, deadline)
        name, address = parseaddr(sender)
        self._sender = {"email": address, **({"name": name} if name else {})}

    async def deliver(self, message: EmailMessage) -> str:
        headers = message.list_headers
        body = {
            "personalizations": [{"to": [{"email": message.to_address}], "custom_args": {"message": str(message.id)}}],
            "from": self._sender,
            "subject": message.subject,
            "content": [
                {"type": "text/plain", "value": message.text},
                {"type": "text/html", "value": message.html},
            ],
            "categories": [message.template],
            **({"headers": headers} if headers else {}),
        }
        # 202 without a body; its own id stands in a header.
        answer = await self._api.ask("POST", "/v3/mail/send", json.dumps(body).encode())
        return answer.headers.get("x-message-id", "")

    async def find(self, message: EmailMessage) -> str | None:
        raise CannotTell

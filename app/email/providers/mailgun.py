"""Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages"""

import base64

from app.email.models import EmailMessage
from app.email.providers.http_api import HttpApi
from app.email.providers.interface import DEADLINE, CannotTell

REGIONS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}


class Mailgun:
    """It has no idempotency key and finds its messages minutes later only, so what may have been sent is not sent again."""

    name = "mailgun"
    keeps_messages = False
    recognizes_repetition = False

    def __init__(
        self, api_key: str, domain: str, sender: str, *, url: str = REGIONS["us"], deadline: float = DEADLINE
    ) -> None:
        credentials = base64.b64encode(f"api:{api_key}".encode()).decode()
        self._api = HttpApi(url, {"authorization": f"Basic {credentials}"}, deadline)
        self._path = f"/v3/{domain}/messages"
        self._sender = sender

    async def deliver(self, message: EmailMessage) -> str:
        headers = {f"h:{name}": value for name, value in message.list_headers.items()}
        answer = await self._api.post_form(
            self._path,
            {
                "from": self._sender,
                "to": message.to_address,
                "subject": message.subject,
                "text": message.text,
                "html": message.html,
                "o:tag": message.template,
                "v:message": str(message.id),
                **headers,
            },
        )
        # Webhooks name the message without the angle brackets.
        return str(answer.get("id", "")).strip("<>")

    async def find(self, message: EmailMessage) -> str | None:
        raise CannotTell

"""Resend: https://resend.com/docs/api-reference/emails/send-email"""

from app.email.models import EmailMessage
from app.email.providers.http_api import HttpApi
from app.email.providers.interface import DEADLINE, CannotTell

RESEND = "https://api.resend.com"


class Resend:
    """It recognizes a repetition by the idempotency key for 24 hours."""

    name = "resend"
    keeps_messages = False
    recognizes_repetition = True

    def __init__(self, api_key: str, sender: str, *, url: str = RESEND, deadline: float = DEADLINE) -> None:
        self._api = HttpApi(url, {"authorization": f"Bearer {api_key}"}, deadline)
        self._sender = sender

    async def deliver(self, message: EmailMessage) -> str:
        headers = message.list_headers
        answer = await self._api.post_json(
            "/emails",
            {
                "from": self._sender,
                "to": [message.to_address],
                "subject": message.subject,
                "text": message.text,
                "html": message.html,
                **({"headers": headers} if headers else {}),
            },
            {"idempotency-key": str(message.id)},
        )
        return str(answer.get("id", ""))

    async def find(self, message: EmailMessage) -> str | None:
        raise CannotTell

"""Postmark: https://postmarkapp.com/developer/api/email-api"""

from app.email.models import EmailMessage
from app.email.providers.http_api import HttpApi
from app.email.providers.interface import DEADLINE

POSTMARK = "https://api.postmarkapp.com"


class Postmark:
    """It has no idempotency key, but finds a message by the metadata that it was sent with: our id."""

    name = "postmark"
    keeps_messages = False
    recognizes_repetition = False

    def __init__(self, server_token: str, sender: str, *, url: str = POSTMARK, deadline: float = DEADLINE) -> None:
        self._api = HttpApi(url, {"x-postmark-server-token": server_token}, deadline)
        self._sender = sender

    async def deliver(self, message: EmailMessage) -> str:
        headers = [{"Name": name, "Value": value} for name, value in message.list_headers.items()]
        answer = await self._api.post_json(
            "/email",
            {
                "From": self._sender,
                "To": message.to_address,
                "Subject": message.subject,
                "TextBody": message.text,
                "HtmlBody": message.html,
                "MessageStream": "outbound",
                "Tag": message.template,
                "Metadata": {"message": str(message.id)},
                **({"Headers": headers} if headers else {}),
            },
        )
        return str(answer.get("MessageID", ""))

    async def find(self, message: EmailMessage) -> str | None:
        answer = await self._api.get_json(f"/messages/outbound?count=1&offset=0&metadata_message={message.id}")
        messages = answer.get("Messages") or []
        return str(messages[0].get("MessageID", "")) if messages else None

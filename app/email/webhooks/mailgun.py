"""Mailgun: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks

The signature stands in the body, beside what it should protect: it covers a time and a random token, not the event. So the
token, which is never repeated, is the event's id here: whoever overhears one request cannot put another event beside it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from app.config_email import EmailSettings
from app.email.models import Outcome
from app.email.webhooks.interface import Notice, our_id, read_object, text
from app.inbound import ReceivedEvent, WebhookRefused, is_one_of, require_recent


class MailgunWebhook:
    def is_configured(self, settings: EmailSettings) -> bool:
        return bool(settings.mailgun_webhook_secrets)

    async def receive(self, settings: EmailSettings, headers: Mapping[str, str], body: bytes) -> list[ReceivedEvent]:
        posted = read_object(body)
        timestamp, token = text(posted, "signature", "timestamp"), text(posted, "signature", "token")
        require_recent(timestamp)
        secrets = [str(secret).encode() for secret in settings.mailgun_webhook_secrets]
        signed = f"{timestamp}{token}".encode()
        expected = [hmac.digest(secret, signed, hashlib.sha256).hex() for secret in secrets]
        if not token or not is_one_of(text(posted, "signature", "signature"), expected):
            raise WebhookRefused
        payload = posted.get("event-data")
        if not isinstance(payload, dict):
            raise WebhookRefused
        return [ReceivedEvent(token, text(payload, "event"), payload)]

    def notice(self, payload: Mapping[str, Any]) -> Notice | None:
        message_id = our_id(text(payload, "user-variables", "message"))
        provider_id = text(payload, "message", "headers", "message-id") or None
        addresses = [text(payload, "recipient")]
        detail = text(payload, "delivery-status", "message") or text(payload, "delivery-status", "description")
        match text(payload, "event"):
            case "delivered":
                return Notice(Outcome.DELIVERED, addresses, message_id, provider_id)
            case "complained":
                return Notice(Outcome.COMPLAINED, addresses, message_id, provider_id)
            case "failed":
                is_permanent = text(payload, "severity") == "permanent"
                return Notice(Outcome.BOUNCED, addresses, message_id, provider_id, is_permanent, detail)
        return None

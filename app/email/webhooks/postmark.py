"""Postmark: https://postmarkapp.com/developer/webhooks/webhooks-overview

It signs nothing; the address that it is given carries a user name and a password (RFC 7617), which are the proof. So there is
no time of signing to look at either: a repetition is known by the event's id alone.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from app.config_email import EmailSettings
from app.email.models import Outcome
from app.email.webhooks.interface import Notice, our_id, read_object, text
from app.inbound import ReceivedEvent, WebhookRefused, is_one_of

PERMANENT = frozenset({"HardBounce", "BadEmailAddress"})


class PostmarkWebhook:
    def is_configured(self, settings: EmailSettings) -> bool:
        return bool(settings.postmark_webhook_secrets)

    async def receive(self, settings: EmailSettings, headers: Mapping[str, str], body: bytes) -> list[ReceivedEvent]:
        if not is_one_of(_password(headers.get("authorization", "")), settings.postmark_webhook_secrets):
            raise WebhookRefused
        payload = read_object(body)
        kind = text(payload, "RecordType")
        # Deliveries have no number of their own, and there is one for each message and address.
        number = text(payload, "ID") or f"{text(payload, 'MessageID')}:{text(payload, 'Recipient')}"
        return [ReceivedEvent(f"{kind}:{number}", kind, payload)]

    def notice(self, payload: Mapping[str, Any]) -> Notice | None:
        message_id = our_id(text(payload, "Metadata", "message"))
        detail = text(payload, "Description") or text(payload, "Details")
        match text(payload, "RecordType"):
            case "Delivery":
                return Notice(Outcome.DELIVERED, [text(payload, "Recipient")], message_id)
            case "SpamComplaint":
                return Notice(Outcome.COMPLAINED, [text(payload, "Email")], message_id, detail=detail)
            case "Bounce":
                is_permanent = text(payload, "Type") in PERMANENT
                address = text(payload, "Email")
                return Notice(Outcome.BOUNCED, [address], message_id, permanent=is_permanent, detail=detail)
        return None


def _password(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    try:
        decoded = base64.b64decode(credentials, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    return decoded.partition(":")[2]

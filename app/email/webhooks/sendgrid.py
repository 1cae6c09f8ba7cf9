"""SendGrid: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features

It signs time and body with ECDSA on P-256 and SHA-256; one request carries many events.
"""

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.config_email import EmailSettings
from app.email.models import Outcome
from app.email.webhooks.interface import Notice, our_id, read_json, text
from app.inbound import ReceivedEvent, WebhookRefused, is_signed_by, require_recent

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


class SendGridWebhook:
    def is_configured(self, settings: EmailSettings) -> bool:
        return bool(settings.sendgrid_webhook_public_keys)

    async def receive(self, settings: EmailSettings, headers: Mapping[str, str], body: bytes) -> list[ReceivedEvent]:
        timestamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        require_recent(timestamp)
        signed = timestamp.encode() + body
        if not any(_is_signed(key, signature, signed) for key in settings.sendgrid_webhook_public_keys):
            raise WebhookRefused
        events = read_json(body)
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise WebhookRefused
        return [
            ReceivedEvent(text(event, "sg_event_id"), text(event, "event"), event)
            for event in events
            if event.get("sg_event_id")
        ]

    def notice(self, payload: Mapping[str, Any]) -> Notice | None:
        message_id = our_id(text(payload, "message"))
        addresses = [text(payload, "email")]
        match text(payload, "event"):
            case "delivered":
                return Notice(Outcome.DELIVERED, addresses, message_id)
            case "spamreport":
                return Notice(Outcome.COMPLAINED, addresses, message_id)
            case "bounce":
                # The other type, "blocked", is a refusal that may pass.
                is_permanent = text(payload, "type") == "bounce"
                detail = text(payload, "reason")
                return Notice(Outcome.BOUNCED, addresses, message_id, permanent=is_permanent, detail=detail)
        return None


def _is_signed(public_key: str, signature: str, signed: bytes) -> bool:
    try:
        return is_signed_by(load_der_public_key(base64.b64decode(public_key, validate=True)), signature, signed)
    except ValueError:
        return False

"""Resend: https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests

It signs as Standard Webhooks describe (https://www.standardwebhooks.com): HMAC-SHA256 of "id.time.body".
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from app.config_email import EmailSettings
from app.email.models import Outcome
from app.email.webhooks.interface import Notice, part, read_object, text
from app.inbound import ReceivedEvent, WebhookRefused, is_one_of, require_recent
from core.datastructures import Secret

VERSION = "v1,"
PREFIX = "whsec_"
MOST_SIGNATURES = 10


class ResendWebhook:
    def is_configured(self, settings: EmailSettings) -> bool:
        return bool(settings.resend_webhook_secrets)

    async def receive(self, settings: EmailSettings, headers: Mapping[str, str], body: bytes) -> list[ReceivedEvent]:
        event_id, timestamp = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
        require_recent(timestamp)
        signed = f"{event_id}.{timestamp}.".encode() + body
        expected = [_signature(secret, signed) for secret in settings.resend_webhook_secrets]
        given = headers.get("svix-signature", "").split(" ")[:MOST_SIGNATURES]
        if not event_id or not any(is_one_of(each, expected) for each in given):
            raise WebhookRefused
        payload = read_object(body)
        return [ReceivedEvent(event_id, text(payload, "type"), payload)]

    def notice(self, payload: Mapping[str, Any]) -> Notice | None:
        provider_id = text(payload, "data", "email_id")
        to = part(payload, "data", "to")
        addresses = [str(address) for address in to] if isinstance(to, list) else []
        match text(payload, "type"):
            case "email.delivered":
                return Notice(Outcome.DELIVERED, addresses, provider_id=provider_id)
            case "email.complained":
                return Notice(Outcome.COMPLAINED, addresses, provider_id=provider_id)
            case "email.bounced":
                is_permanent = text(payload, "data", "bounce", "type") == "Permanent"
                detail = text(payload, "data", "bounce", "message")
                return Notice(
                    Outcome.BOUNCED, addresses, provider_id=provider_id, permanent=is_permanent, detail=detail
                )
        return None


def _signature(secret: Secret, signed: bytes) -> str:
    try:
        key = base64.b64decode(str(secret).removeprefix(PREFIX))
    except binascii.Error:
        raise WebhookRefused from None
    return VERSION + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()

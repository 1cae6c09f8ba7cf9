"""Amazon SES, which speaks through SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

The message names the certificate that it is signed with. Anybody can name one, so its address must be Amazon's own, in the
region of the one topic that we listen to. Only signatures of version 2 (SHA-256) count: set SignatureVersion on the topic.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from app.config_email import EmailSettings
from app.email.models import Outcome
from app.email.webhooks.interface import Notice, our_id, part, read_json, read_object, text
from app.inbound import ReceivedEvent, WebhookRefused, is_one_of, require_recent
from app.outgoing import NoAnswer, call

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"
# What the signature covers, in this order; a subject only where there is one.
SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]+\.pem")
SECONDS_FOR_CERTIFICATE = 3.0
LARGEST_CERTIFICATE = 16 * 1024

Fetch = Callable[[str], Awaitable[bytes]]


async def fetch_certificate(url: str) -> bytes:
    """Raises NoAnswer."""
    answer = await call("GET", url, deadline=SECONDS_FOR_CERTIFICATE, largest=LARGEST_CERTIFICATE)
    if not answer.is_success:
        raise NoAnswer(f"HTTP {answer.status_code}")
    return answer.body


class SesWebhook:
    """Keeps the certificates that it has fetched: Amazon changes them once a year or so."""

    def __init__(self, fetch: Fetch = fetch_certificate) -> None:
        self._fetch = fetch
        self._certificates: dict[str, bytes] = {}

    def is_configured(self, settings: EmailSettings) -> bool:
        return bool(settings.ses_topic_arn)

    async def receive(self, settings: EmailSettings, headers: Mapping[str, str], body: bytes) -> list[ReceivedEvent]:
        posted = read_object(body)
        if not is_one_of(text(posted, "TopicArn"), [settings.ses_topic_arn]):
            raise WebhookRefused
        await self._verify(posted, settings.ses_topic_arn)
        require_recent(_seconds(text(posted, "Timestamp")))
        kind, event_id = text(posted, "Type"), text(posted, "MessageId")
        if kind == CONFIRMATION:
            url = text(posted, "SubscribeURL")
            if not is_amazons(url, settings.ses_topic_arn):
                raise WebhookRefused
            return [ReceivedEvent(event_id, kind, {"confirm_at": url})]
        told = read_json(text(posted, "Message").encode())
        return [ReceivedEvent(event_id, kind, told)] if isinstance(told, dict) else []

    def notice(self, payload: Mapping[str, Any]) -> Notice | None:
        tags = part(payload, "mail", "tags", "message")
        message_id = our_id(str(tags[0])) if isinstance(tags, list) and tags else None
        provider_id = text(payload, "mail", "messageId") or None
        # Events of a configuration set call their kind eventType, notifications of an identity notificationType.
        match text(payload, "eventType") or text(payload, "notificationType"):
            case "Delivery":
                to = part(payload, "delivery", "recipients")
                return Notice(Outcome.DELIVERED, to if isinstance(to, list) else [], message_id, provider_id)
            case "Complaint":
                to = _recipients(payload, "complaint", "complainedRecipients")
                return Notice(Outcome.COMPLAINED, to, message_id, provider_id)
            case "Bounce":
                to = _recipients(payload, "bounce", "bouncedRecipients")
                is_permanent = text(payload, "bounce", "bounceType") == "Permanent"
                detail = text(payload, "bounce", "bounceSubType")
                return Notice(Outcome.BOUNCED, to, message_id, provider_id, is_permanent, detail)
        return None

    async def _verify(self, posted: Mapping[str, Any], topic: str) -> None:
        url, kind = text(posted, "SigningCertURL"), text(posted, "Type")
        is_known = kind in SIGNED and text(posted, "SignatureVersion") == "2"
        if not is_known or not is_amazons(url, topic) or not CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
            raise WebhookRefused
        lines = "".join(f"{name}\n{posted[name]}\n" for name in SIGNED[kind] if posted.get(name) is not None)
        if not _is_signed(await self._certificate(url), text(posted, "Signature"), lines.encode()):
            raise WebhookRefused

    async def _certificate(self, url: str) -> bytes:
        if url not in self._certificates:
            try:
                self._certificates = {url: await self._fetch(url)}
            except NoAnswer:
                raise WebhookRefused from None
        return self._certificates[url]


def is_amazons(url: str, topic: str) -> bool:
    """Whether an address is that of SNS in the topic's region, and nothing else: no port, no user, no other scheme."""
    region = topic.split(":")[3] if topic.count(":") >= 5 else ""
    parts = urlsplit(url)
    ending = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return bool(region) and parts.scheme == "https" and parts.netloc == f"sns.{region}.{ending}"


def _is_signed(certificate: bytes, signature: str, signed: bytes) -> bool:
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=True), signed, PKCS1v15(), SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _recipients(payload: Mapping[str, Any], kind: str, name: str) -> list[str]:
    found = part(payload, kind, name)
    return [text(each, "emailAddress") for each in found] if isinstance(found, list) else []


def _seconds(timestamp: str) -> str:
    """A time as SNS writes it ("2026-11-20T16:00:00.000Z") in seconds since 1970; an empty text for anything else."""
    try:
        return str(int(datetime.fromisoformat(timestamp).timestamp()))
    except ValueError:
        return ""

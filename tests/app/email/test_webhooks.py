"""What providers tell: believed when it is proved, kept once, and heeded."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import Response
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.config_email import EmailSettings
from app.email.models import EmailMessage, Outcome, Suppression
from app.email.outcomes import act_on, handle_event
from app.email.webhooks import WEBHOOKS, Notice
from app.email.webhooks.ses import SesWebhook, is_amazons
from app.ids import uuid7
from app.inbound import LARGEST_WEBHOOK, InboundEvent, WebhookRefused
from app.jobs.registry import JobContext
from app.main import create_app
from core.datastructures import Secret
from core.testclient import AsyncTestClient
from tests.databases import RolledBackDatabase

SECRETS = (Secret("an-earlier-secret"), Secret("the-present-secret"))
RESEND_KEY = b"resend-signing-key-of-ours-32-bytes"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_PUBLIC = base64.b64encode(EC_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
KEYS = EmailSettings(
    postmark_webhook_secrets=SECRETS,
    resend_webhook_secrets=(Secret("whsec_bm90LXRoaXMtb25l"), Secret(f"whsec_{base64.b64encode(RESEND_KEY).decode()}")),
    mailgun_webhook_secrets=SECRETS,
    sendgrid_webhook_public_keys=(EC_PUBLIC,),
)

BOUNCE = {
    "type": "email.bounced",
    "data": {"email_id": "r-1", "to": ["gone@example.com"], "bounce": {"type": "Permanent"}},
}
Signer = Callable[[bytes, int], tuple[dict[str, str], bytes]]


def seconds() -> int:
    return int(clock.now().timestamp())


def by_postmark(body: bytes, at: int) -> tuple[dict[str, str], bytes]:
    credentials = base64.b64encode(b"slipway:the-present-secret").decode()
    return {"authorization": f"Basic {credentials}"}, body


def by_resend(body: bytes, at: int) -> tuple[dict[str, str], bytes]:
    signature = hmac.digest(RESEND_KEY, f"msg_1.{at}.".encode() + body, hashlib.sha256)
    signed = f"v1,{base64.b64encode(b'wrong').decode()} v1,{base64.b64encode(signature).decode()}"
    return {"svix-id": "msg_1", "svix-timestamp": f"{at}", "svix-signature": signed}, body


def by_mailgun(body: bytes, at: int) -> tuple[dict[str, str], bytes]:
    signature = hmac.digest(b"the-present-secret", f"{at}token-1".encode(), hashlib.sha256).hex()
    signed = {"timestamp": f"{at}", "token": "token-1", "signature": signature}
    return {}, json.dumps({"signature": signed, "event-data": json.loads(body)}).encode()


def by_sendgrid(body: bytes, at: int) -> tuple[dict[str, str], bytes]:
    signature = EC_KEY.sign(f"{at}".encode() + body, ec.ECDSA(SHA256()))
    prefix = "x-twilio-email-event-webhook"
    return {f"{prefix}-timestamp": f"{at}", f"{prefix}-signature": base64.b64encode(signature).decode()}, body


SIGNERS: dict[str, tuple[Signer, Any]] = {
    "postmark": (by_postmark, {"RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "Email": "gone@example.com"}),
    "resend": (by_resend, BOUNCE),
    "mailgun": (by_mailgun, {"event": "failed", "severity": "permanent", "recipient": "gone@example.com"}),
    "sendgrid": (
        by_sendgrid,
        [{"sg_event_id": "e-1", "event": "bounce", "type": "bounce", "email": "gone@example.com"}],
    ),
}
TIMED = ("resend", "mailgun", "sendgrid")


@pytest.fixture
async def hooked(settings: Settings, database: RolledBackDatabase) -> AsyncIterator[AsyncTestClient]:
    """A provider's side of an installation that knows every provider but SES."""
    app = create_app(replace(settings, email=KEYS), database=database)
    async with AsyncTestClient(app, base_url=settings.base_url) as client:
        yield client


async def call(client: AsyncTestClient, provider: str, *, age: int = 0, tamper: str = "") -> Response:
    sign, payload = SIGNERS[provider]
    headers, body = sign(json.dumps(payload).encode(), seconds() - age)
    if tamper == "signature":
        headers, body = {}, body.replace(b'"signature": "', b'"signature": "0')
    if tamper == "body":
        body = body.replace(b"gone@", b"gina@")
    return await client.post(f"/hooks/email/{provider}", content=body, headers=headers)


async def count(db: AsyncSession) -> tuple[int, int]:
    """How many events are kept, and how many jobs wait for them."""
    jobs = await db.scalar(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'email.handle_event'"))
    return len((await db.scalars(select(InboundEvent.id))).all()), int(jobs or 0)


async def work(db: AsyncSession, settings: Settings, database: RolledBackDatabase) -> None:
    for event_id in (await db.scalars(select(InboundEvent.id))).all():
        await handle_event(JobContext(settings, database), event_id)


@pytest.mark.requirement("WHI-1", "WHI-2")
@pytest.mark.parametrize("provider", SIGNERS)
async def test_a_proved_bounce_is_kept_once_and_ends_in_the_suppression_list(
    hooked: AsyncTestClient, db: AsyncSession, settings: Settings, database: RolledBackDatabase, provider: str
) -> None:
    for _ in range(3):
        assert (await call(hooked, provider)).status_code == 200
    assert await count(db) == (1, 1)

    await work(db, settings, database)
    await work(db, settings, database)
    [suppression] = await db.scalars(select(Suppression))
    assert (suppression.address, suppression.reason, suppression.provider) == ("gone@example.com", "bounce", provider)


@pytest.mark.requirement("WHI-1")
@pytest.mark.parametrize("provider", SIGNERS)
async def test_without_its_proof_a_request_is_refused(hooked: AsyncTestClient, db: AsyncSession, provider: str) -> None:
    assert (await call(hooked, provider, tamper="signature")).status_code == 400
    assert (await hooked.post(f"/hooks/email/{provider}", content=b"no json at all")).status_code == 400
    assert await count(db) == (0, 0)


@pytest.mark.requirement("WHI-1")
@pytest.mark.parametrize("provider", ["resend", "sendgrid"])
async def test_a_body_that_was_changed_on_the_way_is_refused(hooked: AsyncTestClient, provider: str) -> None:
    assert (await call(hooked, provider, tamper="body")).status_code == 400


@pytest.mark.requirement("WHI-1")
@pytest.mark.parametrize("provider", TIMED)
@pytest.mark.parametrize(("age", "status"), [(295, 200), (-295, 200), (305, 400), (-305, 400)])
async def test_a_signature_is_good_for_five_minutes(
    hooked: AsyncTestClient, provider: str, age: int, status: int
) -> None:
    assert (await call(hooked, provider, age=age)).status_code == status


@pytest.mark.requirement("WHI-1")
async def test_a_large_request_is_refused_before_it_is_read(hooked: AsyncTestClient) -> None:
    answer = await hooked.post("/hooks/email/resend", content=b"x" * (LARGEST_WEBHOOK + 1))

    assert answer.status_code == 413


@pytest.mark.parametrize("provider", ["ses", "smtp", "pigeon"])
async def test_a_provider_without_a_key_has_no_address(hooked: AsyncTestClient, provider: str) -> None:
    assert (await hooked.post(f"/hooks/email/{provider}", content=b"{}")).status_code == 404


@pytest.mark.parametrize(
    ("provider", "payload", "outcome", "permanent"),
    [
        ("postmark", {"RecordType": "Bounce", "Type": "SoftBounce", "Email": "a@b.example"}, "bounced", False),
        ("postmark", {"RecordType": "SpamComplaint", "Email": "a@b.example"}, "complained", False),
        ("postmark", {"RecordType": "Delivery", "Recipient": "a@b.example"}, "delivered", False),
        ("postmark", {"RecordType": "Open"}, None, False),
        (
            "resend",
            {"type": "email.bounced", "data": {"to": ["a@b.example"], "bounce": {"type": "Transient"}}},
            "bounced",
            False,
        ),
        ("resend", {"type": "email.complained", "data": {"to": ["a@b.example"]}}, "complained", False),
        ("resend", {"type": "email.delivered", "data": {"to": ["a@b.example"]}}, "delivered", False),
        ("resend", {"type": "email.opened", "data": []}, None, False),
        ("mailgun", {"event": "failed", "severity": "temporary", "recipient": "a@b.example"}, "bounced", False),
        ("mailgun", {"event": "complained", "recipient": "a@b.example"}, "complained", False),
        ("mailgun", {"event": "delivered", "recipient": "a@b.example"}, "delivered", False),
        ("mailgun", {"event": "clicked"}, None, False),
        ("sendgrid", {"event": "bounce", "type": "blocked", "email": "a@b.example"}, "bounced", False),
        ("sendgrid", {"event": "spamreport", "email": "a@b.example"}, "complained", False),
        ("sendgrid", {"event": "delivered", "email": "a@b.example"}, "delivered", False),
        ("sendgrid", {"event": "processed"}, None, False),
        (
            "ses",
            {
                "eventType": "Bounce",
                "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "a@b.example"}]},
            },
            "bounced",
            True,
        ),
        (
            "ses",
            {
                "notificationType": "Bounce",
                "bounce": {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "a@b.example"}]},
            },
            "bounced",
            False,
        ),
        (
            "ses",
            {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "a@b.example"}]}},
            "complained",
            False,
        ),
        ("ses", {"eventType": "Delivery", "delivery": {"recipients": ["a@b.example"]}}, "delivered", False),
        ("ses", {"eventType": "Open", "mail": 3}, None, False),
    ],
)
def test_each_providers_words_mean_one_of_three_outcomes(
    provider: str, payload: dict[str, Any], outcome: str | None, permanent: bool
) -> None:
    notice = WEBHOOKS[provider].notice(payload)

    assert (notice.outcome if notice else None) == outcome
    assert notice is None or (list(notice.addresses), notice.permanent) == (["a@b.example"], permanent)


@pytest.mark.requirement("WHI-2")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_the_order_in_which_events_come_does_not_matter(db: AsyncSession, order: tuple[int, ...]) -> None:
    outcomes = [Outcome.DELIVERED, Outcome.BOUNCED, Outcome.COMPLAINED]
    message = EmailMessage(
        id=uuid7(), to_address="a@b.example", subject="s", text="", html="", template="t", locale="en", provider="ses"
    )
    db.add(message)
    await db.flush()
    for place in order:
        await act_on(db, "ses", Notice(outcomes[place], ["a@b.example"], message.id))

    await db.refresh(message)
    assert message.outcome == Outcome.COMPLAINED


async def test_a_passing_bounce_suppresses_nobody(db: AsyncSession) -> None:
    await act_on(db, "resend", Notice(Outcome.BOUNCED, ["full@example.com"], provider_id="r-1"))

    assert (await db.scalars(select(Suppression.id))).all() == []


class Amazon:
    """Signs as SNS does, with a certificate of its own making."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), 1, now, now + timedelta(days=1))
        self.certificate = builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)
        self.fetched: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.certificate

    def message(self, **changes: str) -> bytes:
        posted = {
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": TOPIC,
            "Message": json.dumps({"eventType": "Delivery"}),
            "Timestamp": clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
            **changes,
        }
        names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        signed = "".join(f"{name}\n{posted[name]}\n" for name in names if name in posted)
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return json.dumps({**posted, "Signature": base64.b64encode(signature).decode()}).encode()


@pytest.fixture(scope="module")
def amazon() -> Amazon:
    return Amazon()


SES = EmailSettings(ses_topic_arn=TOPIC)


@pytest.mark.requirement("WHI-1")
async def test_what_amazon_signed_is_believed_and_its_certificate_kept(amazon: Amazon) -> None:
    amazon.fetched.clear()
    webhook = SesWebhook(amazon.fetch)
    for _ in range(2):
        [event] = await webhook.receive(SES, {}, amazon.message())

    assert (event.id, event.type, event.payload) == ("m-1", "Notification", {"eventType": "Delivery"})
    assert len(amazon.fetched) == 1


@pytest.mark.requirement("WHI-1")
@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:mail"},
        {"SignatureVersion": "1"},
        {"Timestamp": "2020-01-01T00:00:00.000Z"},
        {"Timestamp": "yesterday"},
        {"Type": "Gossip"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem"},
        {"SigningCertURL": "https://evil.s3.amazonaws.com/SimpleNotificationService-0a.pem"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/uploads/mine.pem"},
    ],
)
async def test_what_amazon_did_not_sign_lately_for_us_is_refused(amazon: Amazon, changes: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        await SesWebhook(amazon.fetch).receive(SES, {}, amazon.message(**changes))


@pytest.mark.requirement("WHI-1")
async def test_another_key_does_not_pass_for_amazons(amazon: Amazon) -> None:
    with pytest.raises(WebhookRefused):
        await SesWebhook(Amazon().fetch).receive(SES, {}, amazon.message())


async def test_a_subscription_is_confirmed_at_amazons_address_only(amazon: Amazon) -> None:
    own = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    asked = {"Type": "SubscriptionConfirmation", "Token": "t"}
    [event] = await SesWebhook(amazon.fetch).receive(SES, {}, amazon.message(**asked, SubscribeURL=own))
    assert event.payload == {"confirm_at": own}

    with pytest.raises(WebhookRefused):
        await SesWebhook(amazon.fetch).receive(SES, {}, amazon.message(**asked, SubscribeURL="https://evil.example/"))
    assert not is_amazons("https://sns.eu-west-1.amazonaws.com/", "no topic")

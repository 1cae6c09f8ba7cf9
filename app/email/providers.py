"""Who carries the messages: providers with an HTTP API, or the development mailbox.

DeliveryFailed      the provider did not take the message; later it may
└── MessageRefused  and never will: the address or the content is at fault
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from app.config import Settings
from app.email.models import EmailMessage
from app.outgoing import Answer, NoAnswer, call

POSTMARK = "https://api.postmarkapp.com"
RESEND = "https://api.resend.com"
DEADLINE = 20.0  # Seconds for the whole exchange, however slowly the provider trickles its answer.
LONGEST_ANSWER = 500  # Characters of an error that are kept.
LONGEST_RETRY_AFTER = timedelta(hours=1)
# The request itself is at fault. Anything else, a wrong key included, is mended on our side or theirs, and loses nothing.
REFUSING = frozenset({400, 413, 422})


class DeliveryFailed(Exception):
    """The provider did not take the message. `retry_after` is what the provider asked for, or zero."""

    def __init__(self, reason: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MessageRefused(DeliveryFailed):
    """The provider will never take this message."""


class Provider(Protocol):
    """Carries messages. `keeps_messages`: the table is where they are read, so their bodies must stay."""

    name: str
    keeps_messages: bool

    async def deliver(self, message: EmailMessage) -> str:
        """Hand over the message and return the provider's id for it. Raises DeliveryFailed."""


class Mailbox:
    """The development mailbox: the message is in the table, which is where it shall be."""

    name = "mailbox"
    keeps_messages = True

    async def deliver(self, message: EmailMessage) -> str:
        return str(message.id)


class Postmark:
    """Postmark's "Send a single email" API. It has no idempotency key: after a crash between its answer and our note of it,
    a message is sent twice rather than not at all. Both carry our id as metadata."""

    name = "postmark"
    keeps_messages = False

    def __init__(self, server_token: str, sender: str, *, url: str = POSTMARK, deadline: float = DEADLINE) -> None:
        self._api = JsonApi(url, {"x-postmark-server-token": server_token}, deadline)
        self._sender = sender

    async def deliver(self, message: EmailMessage) -> str:
        answer = await self._api.post(
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
            },
        )
        return str(answer.get("MessageID", ""))


class Resend:
    """Resend's "Send email" API. It recognizes a repetition by the idempotency key for 24 hours."""

    name = "resend"
    keeps_messages = False

    def __init__(self, api_key: str, sender: str, *, url: str = RESEND, deadline: float = DEADLINE) -> None:
        self._api = JsonApi(url, {"authorization": f"Bearer {api_key}"}, deadline)
        self._sender = sender

    async def deliver(self, message: EmailMessage) -> str:
        answer = await self._api.post(
            "/emails",
            {
                "from": self._sender,
                "to": [message.to_address],
                "subject": message.subject,
                "text": message.text,
                "html": message.html,
            },
            {"idempotency-key": str(message.id)},
        )
        return str(answer.get("id", ""))


def provider_for(settings: Settings) -> Provider:
    """The provider that the settings name."""
    match settings.email_provider:
        case "postmark":
            return Postmark(str(settings.postmark_server_token), settings.email_from)
        case "resend":
            return Resend(str(settings.resend_api_key), settings.email_from)
        case _:
            return Mailbox()


class JsonApi:
    """Posts JSON to one service, and tells its refusals from its failures."""

    def __init__(self, url: str, headers: Mapping[str, str], deadline: float) -> None:
        self._url = url
        self._headers = dict(headers)
        self._deadline = deadline

    async def post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The answer's JSON object. Raises DeliveryFailed, MessageRefused."""
        headers = {**self._headers, **(headers or {})}
        try:
            answer = await call("POST", self._url + path, json_body=body, headers=headers, deadline=self._deadline)
        except NoAnswer as problem:
            raise DeliveryFailed(str(problem)) from None
        return _read_answer(answer)


def _read_answer(answer: Answer) -> dict[str, Any]:
    if answer.status_code in REFUSING:
        raise MessageRefused(_describe(answer))
    if not answer.is_success:
        raise DeliveryFailed(_describe(answer), _retry_after(answer))
    found = answer.json_object()
    # The message may or may not be on its way: offering it again is the safe side, losing it is not.
    if found is None:
        raise DeliveryFailed(f"An answer that is no JSON object: {answer.text[:LONGEST_ANSWER]}")
    return found


def _describe(answer: Answer) -> str:
    return f"HTTP {answer.status_code}: {answer.text[:LONGEST_ANSWER]}"


def _retry_after(answer: Answer) -> timedelta:
    """What `Retry-After` asks for in seconds (RFC 9110 section 10.2.3); its other form, a date, is left to the backoff."""
    value = answer.headers.get("retry-after", "")
    return min(timedelta(seconds=int(value)), LONGEST_RETRY_AFTER) if value.isdecimal() else timedelta(0)

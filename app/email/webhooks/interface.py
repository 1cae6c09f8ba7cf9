"""What every provider's webhook does: prove who speaks, and say what became of a message."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from app.config_email import EmailSettings
from app.email.models import Outcome
from app.inbound import ReceivedEvent, WebhookRefused


@dataclass(frozen=True)
class Notice:
    """What became of a message to one address. The message is named by our id or by the provider's.

    Only a bounce that is `permanent`, and a complaint, keep us from writing to the address again.
    """

    outcome: Outcome
    addresses: Sequence[str]
    message_id: UUID | None = None
    provider_id: str | None = None
    permanent: bool = False
    detail: str = ""


class Webhook(Protocol):
    """Reads what one provider posts."""

    def is_configured(self, settings: EmailSettings) -> bool:
        """Whether there is a key by which to know the sender; without one the address does not exist."""

    async def receive(self, settings: EmailSettings, headers: Mapping[str, str], body: bytes) -> list[ReceivedEvent]:
        """The events in a request whose sender is proved. Raises WebhookRefused before anything that it tells is used."""

    def notice(self, payload: Mapping[str, Any]) -> Notice | None:
        """What an event says; None for what does not concern us."""


def read_json(body: bytes) -> Any:  # Any: whatever the sender has signed.
    """The body as JSON. Raises WebhookRefused."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRefused from None


def read_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises WebhookRefused."""
    found = read_json(body)
    if not isinstance(found, dict):
        raise WebhookRefused
    return found


def part(payload: Mapping[str, Any], *names: str) -> Any:  # Any: the sender's JSON.
    """What stands under these names, one below the other; None where there is nothing."""
    found: Any = payload
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(payload: Mapping[str, Any], *names: str) -> str:
    """As `part`, always a text."""
    found = part(payload, *names)
    return str(found) if found is not None else ""


def our_id(value: str) -> UUID | None:
    """The id that we gave a message, as the provider repeats it; None for messages that others sent by the same account."""
    try:
        return UUID(value)
    except ValueError:
        return None

"""What every provider does, and the ways in which it may not.

DeliveryFailed      the provider did not take the message; later, or by another provider, it may be taken
├── MessageRefused  and never will be: the address or the content is at fault
└── OutcomeUnknown  nobody knows whether it did: the answer was lost
"""

from datetime import timedelta
from typing import Protocol

from app.email.models import EmailMessage

DEADLINE = 20.0  # Seconds for the whole exchange, however slowly the provider trickles its answer.


class DeliveryFailed(Exception):
    """The provider did not take the message. `retry_after` is what the provider asked for, or zero."""

    def __init__(self, reason: str, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class MessageRefused(DeliveryFailed):
    """The provider will never take this message."""


class OutcomeUnknown(DeliveryFailed):
    """The request was sent and its answer lost: the message may be on its way."""


class CannotTell(Exception):
    """The provider does not say which messages it has taken."""


class Provider(Protocol):
    """Carries messages.

    `keeps_messages`: the table is where they are read, so their bodies must stay. `recognizes_repetition`: a message that is
    offered twice under its id is sent once, so that one whose answer was lost may simply be offered again.
    """

    name: str
    keeps_messages: bool
    recognizes_repetition: bool

    async def deliver(self, message: EmailMessage) -> str:
        """Hand over the message and return the provider's id for it. Raises DeliveryFailed."""

    async def find(self, message: EmailMessage) -> str | None:
        """The provider's id of a message that it may have taken, None if it has not. Raises CannotTell, DeliveryFailed."""

"""Who carries the messages: one module for each provider, one interface for all."""

from app.email.providers.carriers import Carrier, Carriers, carriers_for
from app.email.providers.circuit import Circuit
from app.email.providers.interface import (
    CannotTell,
    DeliveryFailed,
    MessageRefused,
    OutcomeUnknown,
    Provider,
)
from app.email.providers.mailbox import Mailbox
from app.email.providers.mailgun import Mailgun
from app.email.providers.postmark import Postmark
from app.email.providers.resend import Resend
from app.email.providers.sendgrid import SendGrid
from app.email.providers.ses import Ses
from app.email.providers.smtp import Smtp

__all__ = [
    "CannotTell",
    "Carrier",
    "Carriers",
    "Circuit",
    "DeliveryFailed",
    "Mailbox",
    "Mailgun",
    "MessageRefused",
    "OutcomeUnknown",
    "Postmark",
    "Provider",
    "Resend",
    "SendGrid",
    "Ses",
    "Smtp",
    "carriers_for",
]

"""The providers of an installation in their order, each behind its circuit breaker."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache

import structlog

from app.config import Settings
from app.email.models import EmailMessage
from app.email.providers.aws_signature import AwsKey
from app.email.providers.circuit import Circuit
from app.email.providers.interface import DeliveryFailed, MessageRefused, Provider
from app.email.providers.mailbox import Mailbox
from app.email.providers.mailgun import REGIONS, Mailgun
from app.email.providers.postmark import Postmark
from app.email.providers.resend import Resend
from app.email.providers.sendgrid import SendGrid
from app.email.providers.ses import Ses
from app.email.providers.smtp import Smtp, SmtpServer
from app.metrics import note_email

log = structlog.get_logger(__name__)


class Carrier:
    """One provider and what this process has lately seen of it."""

    def __init__(self, provider: Provider, circuit: Circuit | None = None) -> None:
        self.provider = provider
        self.circuit = circuit or Circuit()

    async def deliver(self, message: EmailMessage) -> str:
        """As the provider's, noting how it went. Raises DeliveryFailed."""
        try:
            provider_id = await self.provider.deliver(message)
        except MessageRefused:
            # The message is at fault; the provider works.
            self.circuit.succeeded()
            note_email(self.provider.name, "refused")
            raise
        except DeliveryFailed as failure:
            self.circuit.failed()
            note_email(self.provider.name, "failed")
            if self.circuit.wait:
                log.warning("email.provider_rests", provider=self.provider.name, reason=str(failure))
            raise
        except BaseException:
            self.circuit.left()
            raise
        self.circuit.succeeded()
        note_email(self.provider.name, "sent")
        return provider_id


class Carriers:
    """All providers, the preferred one first."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._carriers = [Carrier(provider) for provider in providers]

    def __iter__(self) -> Iterator[Carrier]:
        return iter(self._carriers)

    def named(self, name: str | None) -> Carrier | None:
        """The carrier of that provider, if it is still configured."""
        return next((carrier for carrier in self._carriers if carrier.provider.name == name), None)

    @property
    def rest(self) -> timedelta:
        """How long until one of them may be asked again."""
        return timedelta(seconds=min(carrier.circuit.wait for carrier in self._carriers))


@lru_cache(maxsize=4)
def carriers_for(settings: Settings) -> Carriers:
    """The providers that the settings name. The same ones for the same settings: their circuits remember."""
    return Carriers([_provider(name, settings) for name in settings.email.providers])


def _provider(name: str, settings: Settings) -> Provider:
    email, sender = settings.email, settings.email_from
    match name:
        case "postmark":
            return Postmark(str(email.postmark_server_token), sender)
        case "resend":
            return Resend(str(email.resend_api_key), sender)
        case "ses":
            key = AwsKey(email.ses_access_key_id, email.ses_secret_access_key)
            return Ses(key, email.ses_region, sender, configuration_set=email.ses_configuration_set)
        case "mailgun":
            return Mailgun(str(email.mailgun_api_key), email.mailgun_domain, sender, url=REGIONS[email.mailgun_region])
        case "sendgrid":
            return SendGrid(str(email.sendgrid_api_key), sender)
        case "smtp":
            return Smtp(_smtp_server(settings), sender)
        case _:
            return Mailbox()


def _smtp_server(settings: Settings) -> SmtpServer:
    email = settings.email
    return SmtpServer(email.smtp_host, email.smtp_port, email.smtp_username, email.smtp_password, email.smtp_tls)

"""The settings of the providers that carry e-mail, and what each of them needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.config_rules import comma_separated, one_of, whole_number
from core.datastructures import Secret

T = TypeVar("T")

PROVIDERS = ("mailbox", "postmark", "resend", "ses", "mailgun", "sendgrid", "smtp")
NO_SECRET = Secret("")

# What each provider cannot work without: the variable's name and the setting.
NEEDED = {
    "postmark": {"POSTMARK_SERVER_TOKEN": "postmark_server_token"},
    "resend": {"RESEND_API_KEY": "resend_api_key"},
    "ses": {
        "SES_REGION": "ses_region",
        "SES_ACCESS_KEY_ID": "ses_access_key_id",
        "SES_SECRET_ACCESS_KEY": "ses_secret_access_key",
    },
    "mailgun": {"MAILGUN_API_KEY": "mailgun_api_key", "MAILGUN_DOMAIN": "mailgun_domain"},
    "sendgrid": {"SENDGRID_API_KEY": "sendgrid_api_key"},
    "smtp": {"SMTP_HOST": "smtp_host"},
}


class Reader(Protocol):
    """Reads one variable at a time (`app.config`)."""

    def text(self, name: str, default: str = "") -> str: ...

    def value(self, name: str, parse: Callable[[str], T], default: T) -> T: ...

    def secrets(self, name: str) -> tuple[Secret, ...]: ...


@dataclass(frozen=True, kw_only=True)
class EmailSettings:
    """Which providers carry e-mail, the preferred one first, with their keys and those of their webhooks."""

    providers: tuple[str, ...] = ("mailbox",)
    postmark_server_token: Secret = NO_SECRET
    postmark_webhook_secrets: tuple[Secret, ...] = ()
    resend_api_key: Secret = NO_SECRET
    resend_webhook_secrets: tuple[Secret, ...] = ()
    ses_region: str = ""
    ses_access_key_id: str = ""
    ses_secret_access_key: Secret = NO_SECRET
    ses_configuration_set: str = ""
    ses_topic_arn: str = ""
    mailgun_api_key: Secret = NO_SECRET
    mailgun_domain: str = ""
    mailgun_region: str = "us"
    mailgun_webhook_secrets: tuple[Secret, ...] = ()
    sendgrid_api_key: Secret = NO_SECRET
    sendgrid_webhook_public_keys: tuple[str, ...] = ()
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_username: str = ""
    smtp_password: Secret = NO_SECRET
    smtp_tls: str = "starttls"


def read_email_settings(reader: Reader) -> EmailSettings:
    return EmailSettings(
        providers=reader.value("EMAIL_PROVIDER", _providers, ("mailbox",)),
        postmark_server_token=Secret(reader.text("POSTMARK_SERVER_TOKEN")),
        postmark_webhook_secrets=reader.secrets("POSTMARK_WEBHOOK_SECRET"),
        resend_api_key=Secret(reader.text("RESEND_API_KEY")),
        resend_webhook_secrets=reader.secrets("RESEND_WEBHOOK_SECRET"),
        ses_region=reader.text("SES_REGION"),
        ses_access_key_id=reader.text("SES_ACCESS_KEY_ID"),
        ses_secret_access_key=Secret(reader.text("SES_SECRET_ACCESS_KEY")),
        ses_configuration_set=reader.text("SES_CONFIGURATION_SET"),
        ses_topic_arn=reader.text("SES_TOPIC_ARN"),
        mailgun_api_key=Secret(reader.text("MAILGUN_API_KEY")),
        mailgun_domain=reader.text("MAILGUN_DOMAIN"),
        mailgun_region=reader.value("MAILGUN_REGION", one_of(("us", "eu")), "us"),
        mailgun_webhook_secrets=reader.secrets("MAILGUN_WEBHOOK_SECRET"),
        sendgrid_api_key=Secret(reader.text("SENDGRID_API_KEY")),
        sendgrid_webhook_public_keys=reader.value("SENDGRID_WEBHOOK_PUBLIC_KEY", comma_separated, ()),
        smtp_host=reader.text("SMTP_HOST"),
        smtp_port=reader.value("SMTP_PORT", whole_number(1, 65535), 587),
        smtp_username=reader.text("SMTP_USERNAME"),
        smtp_password=Secret(reader.text("SMTP_PASSWORD")),
        smtp_tls=reader.value("SMTP_TLS", one_of(("starttls", "tls", "none")), "starttls"),
    )


def email_provider_problems(email: EmailSettings) -> list[str]:
    """What the chosen providers lack."""
    return [problem for name in email.providers for problem in _missing(name, email)]


def email_production_problems(email: EmailSettings) -> Iterator[str]:
    """Why these providers would be unsafe, or useless, in production."""
    if "mailbox" in email.providers:
        real = ", ".join(PROVIDERS[1:])
        yield f"EMAIL_PROVIDER must name real providers in production ({real}): the mailbox delivers to nobody."
    if "smtp" in email.providers and email.smtp_tls == "none":
        yield "SMTP_TLS must be starttls or tls in production: messages and the password would travel in the clear."


def _missing(name: str, email: EmailSettings) -> Iterator[str]:
    for variable, setting in NEEDED.get(name, {}).items():
        if not getattr(email, setting):
            yield f"{variable} is missing: EMAIL_PROVIDER={name} cannot send without it."


def _providers(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.lower() for part in comma_separated(text)))
    if not found or any(name not in PROVIDERS for name in found):
        raise ValueError(f"must be one of {', '.join(PROVIDERS)}, or several of them separated by commas")
    return found

"""Any mail server, over SMTP (RFC 5321) with TLS."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage as MimeMessage
from email.utils import format_datetime, parseaddr

import aiosmtplib

from app import clock
from app.email.models import EmailMessage
from app.email.providers.interface import DEADLINE, CannotTell, DeliveryFailed, MessageRefused, OutcomeUnknown
from core.datastructures import Secret

# The server will take this message as little tomorrow (RFC 5321 section 4.2.1), unless the session itself is at fault:
# commands out of order, or a log-in that does not work.
OUR_FAULT = frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538})


NO_PASSWORD = Secret("")


@dataclass(frozen=True)
class SmtpServer:
    """Where a mail server is, and how to be let in. `tls` is "starttls", "tls" (from the first byte) or "none"."""

    host: str
    port: int
    username: str = ""
    password: Secret = NO_PASSWORD
    tls: str = "starttls"


class Smtp:
    """It has no idempotency key: once the whole message was sent, one whose answer was lost is not sent again."""

    name = "smtp"
    keeps_messages = False
    recognizes_repetition = False

    def __init__(self, server: SmtpServer, sender: str, *, deadline: float = DEADLINE) -> None:
        self._server = server
        self._sender = sender
        self._deadline = deadline

    async def deliver(self, message: EmailMessage) -> str:
        mime = self._mime(message)
        client = self._client()
        is_handed_over = False
        try:
            async with asyncio.timeout(self._deadline):
                await self._begin(client)
                await client.mail(parseaddr(self._sender)[1])
                await client.rcpt(message.to_address)
                is_handed_over = True
                await client.data(mime.as_bytes())
        except (TimeoutError, OSError, aiosmtplib.SMTPException) as error:
            raise _failure(error, is_handed_over=is_handed_over) from None
        finally:
            client.close()
        return str(mime["Message-ID"]).strip("<>")

    async def find(self, message: EmailMessage) -> str | None:
        raise CannotTell

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.tls == "tls",
            start_tls=self._server.tls == "starttls",
            timeout=self._deadline,
        )

    async def _begin(self, client: aiosmtplib.SMTP) -> None:
        await client.connect()
        if self._server.username:
            await client.login(self._server.username, str(self._server.password))

    def _mime(self, message: EmailMessage) -> MimeMessage:
        mime = MimeMessage()
        mime["From"] = self._sender
        mime["To"] = message.to_address
        mime["Subject"] = message.subject
        mime["Date"] = format_datetime(clock.now())
        # The same for every try: programs that show mail fold two messages with one id into one.
        mime["Message-ID"] = f"<{message.id}@{parseaddr(self._sender)[1].rpartition('@')[2]}>"
        for name, value in message.list_headers.items():
            mime[name] = value
        mime.set_content(message.text)
        mime.add_alternative(message.html, subtype="html")
        return mime


def _failure(error: Exception, *, is_handed_over: bool) -> DeliveryFailed:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reason = f"SMTP {error.code}: {error.message}"
        is_final = error.code >= 500 and error.code not in OUR_FAULT
        return MessageRefused(reason) if is_final else DeliveryFailed(reason)
    reason = f"{type(error).__name__}: {error}"
    return OutcomeUnknown(reason) if is_handed_over else DeliveryFailed(reason)

"""The development mailbox: the message is in the table, which is where it shall be."""

from app.email.models import EmailMessage


class Mailbox:
    name = "mailbox"
    keeps_messages = True
    recognizes_repetition = True

    async def deliver(self, message: EmailMessage) -> str:
        return str(message.id)

    async def find(self, message: EmailMessage) -> str | None:
        return str(message.id)

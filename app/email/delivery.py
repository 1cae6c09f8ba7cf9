"""Handing messages to the providers: each at most once, whatever crashes, by the first of them that works.

Before a provider is asked, the message is marked as being sent by it. If the answer is lost, or this process dies, that mark is
what the next try finds: then the same provider is asked again under the same key if it recognizes a repetition, or asked
whether it has the message. One that can do neither leaves the message unclear, and a person decides.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.email import queries
from app.email.models import EmailMessage, EmailStatus
from app.email.providers import (
    CannotTell,
    Carrier,
    Carriers,
    DeliveryFailed,
    MessageRefused,
    OutcomeUnknown,
)
from app.email.suppressions import is_suppressed
from app.jobs.registry import JobContext, RetryLater

log = structlog.get_logger(__name__)

LONGEST_ERROR = 500
# The body may hold a link that logs somebody in; nobody needs it any longer.
ERASED = {"text": "", "html": ""}


async def deliver(context: JobContext, carriers: Carriers, email_id: UUID) -> None:
    """Hand one message to a provider, unless that has been done. Raises RetryLater while there is hope."""
    message = await _take(context.database, email_id)
    if message is None:
        return
    delivery = Delivery(context, carriers, message)
    if message.status == EmailStatus.SENDING:
        await delivery.go_on()
    else:
        await delivery.offer(carriers)


class Delivery:
    """One try at one message."""

    def __init__(self, context: JobContext, carriers: Carriers, message: EmailMessage) -> None:
        self._context = context
        self._carriers = carriers
        self._message = message

    async def go_on(self) -> None:
        """Find out what became of the last try, and act on it."""
        carrier = self._carriers.named(self._message.provider)
        if carrier is not None and carrier.provider.recognizes_repetition:
            await self.offer([carrier])
            return
        try:
            found = await self._find(carrier)
        except CannotTell:
            await self._give_up("Nobody knows whether the provider took it.", EmailStatus.UNCLEAR)
        except DeliveryFailed as failure:
            await self._try_later(failure, EmailStatus.SENDING)
        else:
            if found is None:
                await self.offer(self._carriers)
            else:
                await self._note_sent(carrier, found)

    async def offer(self, carriers: Iterable[Carrier]) -> None:
        """Ask one provider after the other, as long as it is sure that none has the message."""
        failure = DeliveryFailed("No provider takes messages at present.", self._carriers.rest)
        for carrier in carriers:
            if not carrier.circuit.enter():
                continue
            await self._change(
                status=EmailStatus.SENDING, provider=carrier.provider.name, attempts=EmailMessage.attempts + 1
            )
            try:
                provider_id = await carrier.deliver(self._message)
            except MessageRefused as refusal:
                await self._give_up(str(refusal), EmailStatus.FAILED, erases=not carrier.provider.keeps_messages)
                return
            except OutcomeUnknown as unknown:
                await self._try_later(unknown, EmailStatus.SENDING)
            except DeliveryFailed as problem:
                failure = problem
            else:
                await self._note_sent(carrier, provider_id)
                return
        # Whoever was asked before and is still in doubt stays the one to ask.
        was_asked = self._message.status == EmailStatus.SENDING
        await self._try_later(failure, EmailStatus.SENDING if was_asked else EmailStatus.QUEUED)

    async def _find(self, carrier: Carrier | None) -> str | None:
        if carrier is None:
            raise CannotTell
        return await carrier.provider.find(self._message)

    async def _note_sent(self, carrier: Carrier | None, provider_id: str) -> None:
        erased = ERASED if carrier is None or not carrier.provider.keeps_messages else {}
        await self._change(
            status=EmailStatus.SENT, provider_id=provider_id, sent_at=clock.now(), last_error=None, **erased
        )

    async def _try_later(self, failure: DeliveryFailed, status: EmailStatus) -> None:
        if self._context.is_last_attempt:
            end = EmailStatus.UNCLEAR if status == EmailStatus.SENDING else EmailStatus.FAILED
            await self._give_up(str(failure), end)
        else:
            await self._change(status=status, last_error=str(failure)[:LONGEST_ERROR])
        raise RetryLater(str(failure), failure.retry_after) from failure

    async def _give_up(self, reason: str, status: EmailStatus, *, erases: bool = False) -> None:
        log.warning("email.given_up", email_id=str(self._message.id), status=str(status), reason=reason)
        await self._change(status=status, last_error=reason[:LONGEST_ERROR], **(ERASED if erases else {}))

    async def _change(self, **changes: Any) -> None:  # Any: the columns' values.
        async with self._context.database.transaction() as db:
            await change_message(db, self._message.id, **changes)


async def change_message(db: AsyncSession, email_id: UUID, **changes: Any) -> None:  # Any: the columns' values.
    await db.execute(update(EmailMessage).where(EmailMessage.id == email_id).values(**changes))


async def _take(database: Database, email_id: UUID) -> EmailMessage | None:
    """The message, if it is to be delivered. One that nobody wants is withheld here, however long ago it was written."""
    async with database.transaction() as db:
        message = await queries.find_undelivered_message(db, email_id)
        if message is None or message.status == EmailStatus.SENDING:
            return message
        reason = await _reason_to_withhold(db, message)
        if reason is None:
            return message
        await change_message(db, message.id, status=EmailStatus.WITHHELD, last_error=reason, **ERASED)
        return None


async def _reason_to_withhold(db: AsyncSession, message: EmailMessage) -> str | None:
    if await is_suppressed(db, message.to_address):
        return "The address is on the suppression list."
    if message.subscription_id and await queries.is_unsubscribed(db, message.subscription_id):
        return "The receiver has unsubscribed."
    return None

"""What became of messages after a provider took them."""

from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.email.models import EmailMessage, Outcome, SuppressionReason
from app.email.suppressions import suppress
from app.email.webhooks import WEBHOOKS, Notice
from app.inbound import take_event
from app.jobs.registry import JobContext, RetryLater
from app.outgoing import NoAnswer, call

# Events come in any order: what was told first stays, unless what is told now is worse.
WORSE_THAN: dict[Outcome, tuple[Outcome, ...]] = {
    Outcome.DELIVERED: (),
    Outcome.BOUNCED: (Outcome.DELIVERED,),
    Outcome.COMPLAINED: (Outcome.DELIVERED, Outcome.BOUNCED),
}
SECONDS_TO_CONFIRM = 10.0


async def handle_event(context: JobContext, event_id: UUID) -> None:
    """Act on what a provider told, once."""
    async with context.database.transaction() as db:
        event = await take_event(db, event_id)
        if event is None:
            return
        provider = event.source.removeprefix("email.")
        if "confirm_at" in event.payload:
            await _confirm(str(event.payload["confirm_at"]))
        elif notice := WEBHOOKS[provider].notice(event.payload):
            await act_on(db, provider, notice)


async def act_on(db: AsyncSession, provider: str, notice: Notice) -> None:
    """Note what became of the message, and stop writing to addresses that do not exist or do not want us."""
    await _note_outcome(db, provider, notice)
    reason = _reason_to_suppress(notice)
    if reason is not None:
        for address in notice.addresses:
            await suppress(db, address=address, reason=reason, provider=provider, detail=notice.detail)


def _reason_to_suppress(notice: Notice) -> SuppressionReason | None:
    if notice.outcome == Outcome.COMPLAINED:
        return SuppressionReason.COMPLAINT
    return SuppressionReason.BOUNCE if notice.outcome == Outcome.BOUNCED and notice.permanent else None


async def _note_outcome(db: AsyncSession, provider: str, notice: Notice) -> None:
    if notice.message_id is not None:
        is_it = EmailMessage.id == notice.message_id
    elif notice.provider_id:
        is_it = EmailMessage.provider_id == notice.provider_id
    else:
        return
    is_news = or_(EmailMessage.outcome.is_(None), EmailMessage.outcome.in_(WORSE_THAN[notice.outcome]))
    statement = update(EmailMessage).where(is_it, EmailMessage.provider == provider, is_news)
    await db.execute(statement.values(outcome=notice.outcome))


async def _confirm(url: str) -> None:
    """Tell SNS that we do want its messages. The address was checked to be Amazon's when it came."""
    try:
        answer = await call("GET", url, deadline=SECONDS_TO_CONFIRM)
    except NoAnswer as problem:
        raise RetryLater(str(problem)) from None
    if not answer.is_success:
        raise RetryLater(f"HTTP {answer.status_code}")

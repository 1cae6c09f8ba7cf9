"""What the staff does to the machinery; each thing is in the audit trail."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.email import actions as email_actions
from app.email import queries as email_queries
from app.email import suppressions
from app.jobs import actions as job_actions
from app.jobs import queries as job_queries
from app.jobs.queries import DeadJob


async def retry_job(db: AsyncSession, staff: User, job_id: int, *, facts: RequestFacts) -> DeadJob:
    """Put a dead job back into the queue. Raises WaitsAlready, or a 404."""
    dead = await job_queries.get_dead_job(db, job_id)
    await job_actions.retry_dead_job(db, dead)
    await _record(db, staff, "staff.job_retried", f"{dead.name} {dead.id}", facts)
    return dead


async def discard_job(db: AsyncSession, staff: User, job_id: int, *, facts: RequestFacts) -> DeadJob:
    """Give a dead job up for good. Raises a 404."""
    dead = await job_queries.get_dead_job(db, job_id)
    await job_actions.discard_dead_job(db, dead)
    await _record(db, staff, "staff.job_discarded", f"{dead.name} {dead.id}", facts)
    return dead


async def send_again(db: AsyncSession, staff: User, email_id: UUID, *, facts: RequestFacts) -> None:
    """Deliver a message that was given up, or is unclear. Raises CannotBeSentAgain, or a 404."""
    message = await email_queries.get_message(db, email_id)
    await email_actions.redeliver(db, message)
    await _record(db, staff, "staff.message_sent_again", message.to_address, facts)


async def release_address(db: AsyncSession, staff: User, suppression_id: UUID, *, facts: RequestFacts) -> str:
    """Write to a suppressed address again; returns it. Raises a 404."""
    released = await suppressions.release(db, suppression_id)
    await _record(db, staff, "staff.address_released", released.address, facts)
    return released.address


async def _record(db: AsyncSession, staff: User, action: str, label: str, facts: RequestFacts) -> None:
    await record(
        db,
        action,
        actor_id=staff.id,
        actor_type="support",
        actor_label=staff.name,
        target_label=label,
        request=facts,
    )

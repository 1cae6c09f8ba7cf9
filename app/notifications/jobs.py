"""What the worker does for this feature."""

from datetime import timedelta
from uuid import UUID

from app import clock
from app.jobs.registry import JobContext, job
from app.notifications import actions, queries
from app.organizations.queries import find_language

# Whoever is at work sees the bell; the digest is for those who were not there.
OLD_ENOUGH = timedelta(hours=1)
KEPT_READ = timedelta(days=90)


@job("notifications.mail")
async def mail_notification(
    context: JobContext, *, user_id: UUID, kind: str, data: dict[str, str], organization_id: UUID | None = None
) -> None:
    """Mail one notification."""
    async with context.database.transaction() as db:
        locale = await find_language(db, user_id, organization_id)
        await actions.send_notification(db, context.settings, user_id, kind=kind, data=data, locale=locale)


@job("notifications.send_digests", schedule="0 7 * * *", deadline=timedelta(minutes=10))
async def send_digests(context: JobContext) -> None:
    """Mail everybody what they have not seen, each in a transaction of its own."""
    before = clock.now() - OLD_ENOUGH
    async with context.database.transaction() as db:
        people = await queries.list_waiting_people(db, before=before)
    for user_id in people:
        async with context.database.transaction() as db:
            about = await queries.find_waiting_organization(db, user_id, before=before)
            locale = await find_language(db, user_id, about)
            await actions.send_digest(db, context.settings, user_id, before=before, locale=locale)


@job("notifications.forget_read", schedule="29 3 * * *")
async def forget_read(context: JobContext) -> None:
    """Forget what was read three months ago."""
    async with context.database.transaction() as db:
        await actions.forget_read(db, before=clock.now() - KEPT_READ)

"""What is forgotten about tokens."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.config import Settings
from app.jobs.registry import JobContext
from app.tokens.jobs import forget_tokens
from app.tokens.models import PersonalToken
from app.tokens.retention import MEMORY
from tests.app.accounts.people import add_person
from tests.app.tokens.making import add_token
from tests.databases import RolledBackDatabase

HOUR = timedelta(hours=1)


async def test_tokens_are_forgotten_three_months_after_their_end(
    db: AsyncSession, settings: Settings, database: RolledBackDatabase
) -> None:
    await add_token(db, settings, await add_person(db))
    await db.flush()
    expires_at = (await db.scalars(select(PersonalToken.expires_at))).one()
    left = []
    for after in (MEMORY - HOUR, MEMORY + HOUR):
        with clock.travel(expires_at - clock.now() + after):
            await forget_tokens(JobContext(settings, database))
        left.append(len((await db.scalars(select(PersonalToken.id))).all()))

    assert left == [1, 0]

"""Asking for a mailed link by an address, which may have an account or not."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.codes import Code
from app.accounts.links import create_link
from app.accounts.models import Purpose
from app.accounts.queries import Account, find_account
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.ids import uuid7


async def ask_for_link(
    db: AsyncSession, purpose: Purpose, *, email: str, action: str, code: Code | None = None, facts: RequestFacts
) -> tuple[Account | None, str]:
    """Write the link that somebody asked for and note that as `action`; returns whose address it is, and the link's token.

    For an address without an account the same statements write nothing but the note.
    """
    account = await find_account(db, email)
    token = await create_link(db, purpose, account.email.id if account else uuid7(), code=code)
    await record(
        db,
        action,
        actor_id=None,
        target_type="user" if account else None,
        target_id=account.user.id if account else None,
        target_label=account.email.address if account else None,
        request=facts,
    )
    return account, token

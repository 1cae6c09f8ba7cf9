"""A person's connections, for scripts of the person's own pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts.dependencies import ConfirmedSession, CurrentUser
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.connections import actions, queries
from app.database import Db
from core.exceptions import HTTPException
from core.requests import Request


class ConnectionOut(BaseModel):
    """An account elsewhere that logs the person in."""

    id: UUID
    provider: Annotated[str, Field(examples=["google"])]
    email: Annotated[str | None, Field(description="As the provider told it last.", examples=["ada@example.com"])]
    created_at: datetime
    last_used_at: datetime | None


async def list_own_connections(user: CurrentUser, db: Db) -> list[ConnectionOut]:
    """List the accounts elsewhere that log the person in."""
    found = await queries.list_identities(db, user)
    return [ConnectionOut.model_validate(each, from_attributes=True) for each in found]


async def disconnect_own(
    request: Request,
    session: ConfirmedSession,
    db: Db,
    settings: CurrentSettings,
    identity_id: UUID,
) -> None:
    """End a connection. Needs a recent proof of who asks, and refuses the last way in."""
    facts = RequestFacts.of(request)
    if await actions.disconnect(db, settings, session.user, identity_id, facts=facts) is None:
        raise HTTPException(404)

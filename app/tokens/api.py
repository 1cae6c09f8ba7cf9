"""A person's tokens, for scripts of the person's own pages. A token has no way in here: it could prolong its own life."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts.dependencies import CurrentUser
from app.audit.models import RequestFacts
from app.database import Db
from app.tokens import actions, queries
from core.exceptions import HTTPException
from core.requests import Request


class TokenOut(BaseModel):
    """A token, without the token itself: that was shown once, when it was made."""

    id: UUID
    name: Annotated[str, Field(examples=["Backup"])]
    ending: Annotated[str, Field(description="Its last characters.", examples=["x7Qz"])]
    scopes: Annotated[list[str], Field(examples=[["account:read", "members:read"]])]
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, Field(description="To the minute.")]
    last_used_ip: str | None


async def list_own_tokens(user: CurrentUser, db: Db) -> list[TokenOut]:
    """List the person's tokens that are not revoked."""
    tokens = await queries.list_tokens(db, user)
    return [TokenOut.model_validate(token, from_attributes=True) for token in tokens]


async def revoke_own_token(request: Request, user: CurrentUser, db: Db, token_id: UUID) -> None:
    """Revoke one of the person's tokens."""
    if await actions.revoke_token(db, user, token_id, facts=RequestFacts.of(request)) is None:
        raise HTTPException(404)

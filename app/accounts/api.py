"""What programs may know of the person they act for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT


class PersonOut(BaseModel):
    """A person."""

    id: UUID
    name: Annotated[str, Field(examples=["Ada Lovelace"])]
    email: Annotated[str, Field(description="Empty while no address is confirmed.", examples=["ada@example.com"])]
    created_at: datetime


async def show_me(who: Annotated[Credential, Holding(ACCOUNT)]) -> PersonOut:
    """Show the person who is signed in, or whose token it is."""
    user = who.user
    return PersonOut(id=user.id, name=user.name, email=user.email, created_at=user.created_at)

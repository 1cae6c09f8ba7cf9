"""What programs may know of a person's second factors. They are set up by people, in a browser."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.database import Db
from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT
from app.two_factor import queries


class PasskeyOut(BaseModel):
    """A passkey."""

    id: UUID
    name: Annotated[str, Field(examples=["Work laptop"])]
    is_synced: Annotated[bool, Field(description="Whether a password manager keeps it on several devices.")]
    created_at: datetime
    last_used_at: datetime | None


class SecondFactorsOut(BaseModel):
    """What a person holds besides a password."""

    since: Annotated[datetime | None, Field(description="Since when a password alone is not enough; null: it is.")]
    has_app: Annotated[bool, Field(description="Whether an authenticator app is set up.")]
    recovery_codes_left: int
    passkeys: list[PasskeyOut]


async def show_second_factors(who: Annotated[Credential, Holding(ACCOUNT)], db: Db) -> SecondFactorsOut:
    """Show which second factors the person has."""
    factors = await queries.find_factors(db, who.user.id)
    return SecondFactorsOut(
        since=who.user.second_factor_at,
        has_app=factors.has_app,
        recovery_codes_left=factors.recovery_codes,
        passkeys=[
            PasskeyOut(
                id=passkey.id,
                name=passkey.name,
                is_synced=passkey.backed_up,
                created_at=passkey.created_at,
                last_used_at=passkey.last_used_at,
            )
            for passkey in factors.passkeys
        ],
    )

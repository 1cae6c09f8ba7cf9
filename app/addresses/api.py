"""A person's addresses, for programs: the same actions as the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts import limits
from app.accounts.dependencies import ConfirmedSession, CurrentUser
from app.accounts.models import Email
from app.addresses import actions, queries
from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.forms import EmailAddress, JsonBody
from core.openapi import operation
from core.params import Body, Status
from core.requests import Request


class AddressOut(BaseModel):
    """One of a person's addresses."""

    id: UUID
    address: Annotated[str, Field(examples=["ada@example.com"])]
    is_primary: Annotated[bool, Field(description="Whether messages go to it.")]
    verified_at: Annotated[datetime | None, Field(description="Null until the link that was mailed to it is used.")]
    created_at: datetime


class AddressList(BaseModel):
    """All addresses of a person, the primary one first."""

    items: list[AddressOut]


class NewAddress(JsonBody):
    """Another address."""

    address: Annotated[EmailAddress, Field(json_schema_extra={"format": "email"}, examples=["ada@example.org"])]
    is_primary: Annotated[bool, Field(description="Make it the primary one once it is confirmed.")] = False


async def list_addresses(user: CurrentUser, db: Db) -> AddressList:
    """List the addresses of the person who is signed in."""
    return AddressList(items=[_address(each) for each in await queries.list_addresses(db, user.id)])


@operation(refusals={409: "The address is in the list already, or the list is full."})
async def add_address(
    request: Request,
    session: ConfirmedSession,
    db: Db,
    settings: CurrentSettings,
    new: Annotated[NewAddress, Body(unique_names=True)],
) -> Annotated[AddressOut, Status(201)]:
    """Add an address.

    A link is mailed to it; until that is used, the address is good for nothing. Needs a recent proof of identity.
    """
    await limits.limit(request, limits.MESSAGE, new.address)
    email = await actions.add_address(
        db,
        settings,
        session.user,
        address=new.address,
        becomes_primary=new.is_primary,
        facts=RequestFacts.of(request),
    )
    return _address(email)


@operation(refusals={409: "The address is the primary one."})
async def remove_address(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, email_id: UUID
) -> None:
    """Remove an address.

    The primary one cannot be removed. Needs a recent proof of identity.
    """
    email = await queries.get_address(db, session.user_id, email_id)
    await actions.remove_address(db, settings, session.user, email, facts=RequestFacts.of(request))


async def send_confirmation(
    request: Request, user: CurrentUser, db: Db, settings: CurrentSettings, email_id: UUID
) -> Annotated[None, Status(202)]:
    """Mail the link that confirms an address once more.

    For an address that is confirmed already nothing happens.
    """
    email = await queries.get_address(db, user.id, email_id)
    await limits.limit(request, limits.MESSAGE, email.address)
    if email.verified_at is None:
        await actions.send_link(db, settings, user, email)


@operation(refusals={422: "The address is not confirmed yet."})
async def make_primary(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, email_id: UUID
) -> AddressOut:
    """Have messages go to an address from now on.

    The one before is told, with a link that takes the change back. Needs a recent proof of identity.
    """
    email = await queries.get_address(db, session.user_id, email_id)
    await actions.make_primary(db, settings, session.user, email, facts=RequestFacts.of(request))
    return _address(email)


def _address(email: Email) -> AddressOut:
    return AddressOut(
        id=email.id,
        address=email.address,
        is_primary=bool(email.is_primary),
        verified_at=email.verified_at,
        created_at=email.created_at,
    )

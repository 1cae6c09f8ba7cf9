"""A person's sessions, for programs: to look through, and, from a session of their own, to end."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts.dependencies import CurrentSession, CurrentUser
from app.accounts.models import Session
from app.accounts.whereabouts import device_name, place_name
from app.audit.models import RequestFacts
from app.database import Db
from app.devices import actions, queries
from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT
from core.requests import Request


class SessionOut(BaseModel):
    """A browser that is logged in."""

    id: UUID
    device: Annotated[str, Field(description="What the browser says it is.", examples=["Firefox on Linux"])]
    place: Annotated[str, Field(description="Its network.", examples=["203.0.113.9"])]
    is_present: Annotated[bool, Field(description="Whether this very request came from it.")]
    methods: Annotated[list[str], Field(description="What was proved with.", examples=[["password", "totp"]])]
    last_seen_at: datetime
    created_at: datetime


class DeviceOut(BaseModel):
    """A device that stands for the person's second factor."""

    id: UUID
    device: Annotated[str, Field(description="What the browser says it is.", examples=["Firefox on Linux"])]
    place: Annotated[str, Field(description="Its network.", examples=["203.0.113.9"])]
    trusted_until: datetime | None
    last_seen_at: datetime


async def list_sessions(who: Annotated[Credential, Holding(ACCOUNT)], db: Db) -> list[SessionOut]:
    """List where the person is logged in, the sessions used last first."""
    return [_shown(session, who) for session in await queries.list_sessions(db, who.user)]


async def end_session(request: Request, user: CurrentUser, db: Db, session_id: UUID) -> None:
    """End one of the person's sessions.

    It is over with its next request. A token cannot do it: whoever found one could log its owner out.
    """
    await actions.end_session(db, user, session_id, facts=RequestFacts.of(request))


async def end_other_sessions(request: Request, session: CurrentSession, db: Db) -> None:
    """End all of the person's sessions but this one.

    Devices that stood for the second factor do so no longer.
    """
    await actions.end_other_sessions(db, session, facts=RequestFacts.of(request))


async def list_trusted_devices(user: CurrentUser, db: Db) -> list[DeviceOut]:
    """List the devices that stand for the person's second factor, those seen last first."""
    return [
        DeviceOut(
            id=device.id,
            device=device_name(device.user_agent),
            place=place_name(device.ip),
            trusted_until=device.trusted_until,
            last_seen_at=device.last_seen_at,
        )
        for device in await queries.list_trusted_devices(db, user)
    ]


async def forget_device(request: Request, user: CurrentUser, db: Db, device_id: UUID) -> None:
    """Let a device stand for the second factor no longer."""
    await actions.forget_device(db, user, device_id, facts=RequestFacts.of(request))


def _shown(session: Session, who: Credential) -> SessionOut:
    return SessionOut(
        id=session.id,
        device=device_name(session.user_agent),
        place=place_name(session.ip),
        is_present=who.session is not None and who.session.id == session.id,
        methods=session.authentication_methods,
        last_seen_at=session.last_seen_at,
        created_at=session.created_at,
    )

"""A person's sessions, for programs: to look through, and, from a session of their own, to end."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts.dependencies import CurrentUser
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


async def list_sessions(who: Annotated[Credential, Holding(ACCOUNT)], db: Db) -> list[SessionOut]:
    """List where the person is logged in, the sessions used last first."""
    return [_shown(session, who) for session in await queries.list_sessions(db, who.user)]


async def end_session(request: Request, user: CurrentUser, db: Db, session_id: UUID) -> None:
    """End one of the person's sessions.

    It is over with its next request. A token cannot do it: whoever found one could log its owner out.
    """
    await actions.end_session(db, user, session_id, facts=RequestFacts.of(request))


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

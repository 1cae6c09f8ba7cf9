"""Who asks and follows by GraphQL on a websocket: on the hub of `app.realtime`, for as long as the session lives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import NotSignedIn
from app.accounts.models import Session, User
from app.audit.models import AuditEvent
from app.audit.queries import find_event
from app.database import Database, name_organization
from app.organizations.dependencies import get_scope, require_access, require_permission
from app.organizations.models import Scope
from app.realtime.access import find_listener
from app.realtime.live import Ended, live_connection
from app.tokens.models import Credential
from core.websockets import WebSocket

FOLLOWING_AUDIT = "audit.view"


class Follower:
    """What resolvers find in `info.context` on a websocket: what a `Viewer` is to a request.

    A websocket lives for an hour and its rights may not, so that each question is a transaction of its own that asks for
    the session again.
    """

    def __init__(self, websocket: WebSocket, user: User) -> None:
        self.user = user
        self.connection = websocket
        self._database: Database = websocket.app.state.database

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[AsyncSession]:
        """A transaction for what belongs to the person. Raises NotSignedIn."""
        async with self._asking() as (db, _):
            yield db

    async def scope_in(self, slug: str, permission: str) -> Scope:
        """As `Viewer.scope_in`."""
        async with self._asking() as (db, session):
            scope = await get_scope(db, Credential(session.user, session=session), slug, request_id="")
        require_access(scope, permission)
        return scope

    @asynccontextmanager
    async def acting_in(self, scope: Scope, permission: str) -> AsyncIterator[AsyncSession]:
        """As `Viewer.acting_in`."""
        require_permission(scope, permission)
        async with self._asking() as (db, _):
            await name_organization(db, scope.organization.id)
            yield db

    async def follow_audit(self, slug: str) -> AsyncIterator[AuditEvent]:
        """An organization's audit events as they happen, for as long as the person may read them."""
        scope = await self.scope_in(slug, FOLLOWING_AUDIT)
        async with live_connection(self.connection) as live:
            await live.follow([f"audit:{scope.organization.id}"])
            try:
                async for told in live.events():
                    if "event_id" in told.data and (event := await self._find(slug, UUID(told.data["event_id"]))):
                        yield event
            except Ended:
                return

    async def _find(self, slug: str, event_id: UUID) -> AuditEvent | None:
        scope = await self.scope_in(slug, FOLLOWING_AUDIT)
        async with self.acting_in(scope, FOLLOWING_AUDIT) as db:
            return await find_event(db, event_id, organization_id=scope.organization.id)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[tuple[AsyncSession, Session]]:
        async with self._database.transaction() as db:
            session = await find_listener(db, self.connection.user.session_token)
            if session is None:
                raise NotSignedIn
            yield db, session

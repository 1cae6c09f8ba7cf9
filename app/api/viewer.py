"""Who asks by GraphQL, and their way to the data: the pages' scopes and permissions, one statement at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import anyio
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import NotSignedIn, OptionalSession
from app.accounts.models import User
from app.accounts.redirects import log_in_path, requested_path
from app.database import Db, name_organization
from app.organizations.dependencies import get_scope, require_access, require_permission
from app.organizations.models import Scope
from app.pages import path_of
from app.policy import Guard
from app.tokens.dependencies import OptionalToken, require_scope
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT
from core.exceptions import HTTPException
from core.middleware.requestid import request_id
from core.problems import accept_ranges
from core.requests import Request


class Viewer:
    """What resolvers find in `info.context`.

    They run side by side, but a transaction does one thing at a time, and row-level security shows it the rows of one
    organization at a time. So each takes its turn and says for which organization.
    """

    def __init__(self, credential: Credential, db: AsyncSession, request: Request) -> None:
        self.connection = request
        self._credential = credential
        self._db = db
        self._turn = anyio.Lock()
        self._named: UUID | None = None

    @property
    def user(self) -> User:
        """The person. Raises InsufficientScope for a token that may not tell about them."""
        require_scope(self._credential, ACCOUNT)
        return self._credential.user

    @asynccontextmanager
    async def in_turn(self) -> AsyncIterator[AsyncSession]:
        """The transaction, for what belongs to the person rather than to an organization."""
        async with self._turn:
            yield self._db

    async def scope_in(self, slug: str, permission: str) -> Scope:
        """The scope in an organization. Raises HTTPException(404) for others' and for missing ones, and refusals."""
        async with self._turn:
            scope = await get_scope(self._db, self._credential, slug, request_id=request_id(self.connection))
            self._named = scope.organization.id
        require_access(scope, permission)
        return scope

    @asynccontextmanager
    async def acting_in(self, scope: Scope, permission: str) -> AsyncIterator[AsyncSession]:
        """The transaction, with the scope's organization named to row-level security. Raises NotAllowed."""
        require_permission(scope, permission)
        async with self._turn:
            if self._named != scope.organization.id:
                await name_organization(self._db, scope.organization.id)
                self._named = scope.organization.id
            yield self._db


def wants_page(request: Request) -> bool:
    """Whether a browser asks for something to look at: it names HTML, which programs that take anything do not."""
    return "text/html" in accept_ranges(request.headers.get("accept", ""))


async def current_viewer(request: Request, session: OptionalSession, token: OptionalToken, db: Db) -> Viewer:
    """The person behind the request. A browser without a session is led to the log-in page, a program gets a 401."""
    if token is not None:
        return Viewer(Credential(token.user, token=token), db, request)
    if session is not None:
        return Viewer(Credential(session.user, session=session), db, request)
    if wants_page(request):
        path = path_of(request, "accounts.log_in")
        raise HTTPException(303, headers={"location": log_in_path(path, requested_path(request))})
    raise NotSignedIn


CurrentViewer = Annotated[Viewer, Guard(current_viewer, access="signed in, or a token")]

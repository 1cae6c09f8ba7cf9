"""In which organization a request acts, and whether it may: the only place that makes a `Scope`."""

from typing import Annotated

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import CurrentSession
from app.accounts.models import Session
from app.database import Db
from app.errors import Refusal
from app.language import N_
from app.organizations import queries
from app.organizations.models import Scope
from app.organizations.slugs import is_slug
from app.policy import PERMISSIONS, Guard
from core.exceptions import HTTPException
from core.middleware.requestid import request_id
from core.requests import Request


class NotAllowed(Refusal):
    """The member's role does not hold the permission."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("Your role does not allow this. An owner or an admin of the organization can change that."))


async def find_scope(db: AsyncSession, session: Session, slug: str, *, request_id: str) -> Scope | None:
    """The scope of a member in the organization that has, or had, this slug.

    None for everybody else, as for an organization that does not exist.
    """
    membership = await queries.find_membership(db, session.user, slug) if is_slug(slug) else None
    return Scope(session.user, membership.organization, membership, session, request_id) if membership else None


def require_permission(scope: Scope, permission: str) -> None:
    """Raises NotAllowed, and KeyError for a permission that `app.policy` does not have."""
    if not scope.allows(permission):
        raise NotAllowed


async def member_scope(request: Request, session: CurrentSession, db: Db, slug: str) -> Scope:
    """The scope of a member in the organization of the path's `slug`.

    Other people's organizations and missing ones are the same 404. A former slug leads to the present one.
    """
    scope = await find_scope(db, session, slug, request_id=request_id(request))
    if scope is None:
        raise HTTPException(404)
    if scope.organization.slug != slug:
        raise HTTPException(308, headers={"location": _moved(request, scope.organization.slug)})
    request.state.scope = scope
    return scope


class Allowed(Guard):
    """Lets members pass whose role holds `permission`: `scope: Annotated[Scope, Allowed("members.view")]`.

    Raises KeyError, when the module is imported, for a permission that `app.policy` does not have.
    """

    def __init__(self, permission: str) -> None:
        if permission not in PERMISSIONS:
            raise KeyError(permission)

        async def allowed_scope(scope: MemberScope) -> Scope:
            require_permission(scope, permission)
            return scope

        super().__init__(allowed_scope, access=f"permission {permission}")
        self.permission = permission


MemberScope = Annotated[Scope, Guard(member_scope, access="member")]


def _moved(request: Request, present: str) -> str:
    parameters = {**request.path_params, "slug": present}
    path = str(request.app.url_path_for(request.scope["route"].name, **parameters))
    return path + (f"?{request.url.query}" if request.url.query else "")

"""In which organization a request acts, and whether it may: the only place that makes a `Scope`."""

from typing import Annotated

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.dependencies import is_page
from app.accounts.redirects import log_in_path, requested_path
from app.database import Db
from app.errors import Refusal
from app.language import N_
from app.organizations import queries
from app.organizations.models import Scope
from app.organizations.security import SecondFactorNeeded, SessionTooOld, require_policy
from app.organizations.slugs import is_slug
from app.pages import path_of
from app.policy import PERMISSIONS, Guard
from app.time_zones import live_in
from app.tokens.dependencies import CurrentCredential, require_scope
from app.tokens.models import Credential
from app.tokens.scopes import scope_for
from core.exceptions import HTTPException
from core.middleware.requestid import request_id
from core.params import Depends
from core.requests import Request

# What the API's operations say of a former slug (`present_scope`).
MOVED = {308: "The organization has another address now: that of the header `Location`."}


class NotAllowed(Refusal):
    """The member's role does not hold the permission."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__(N_("Your role does not allow this. An owner or an admin of the organization can change that."))


async def find_scope(db: AsyncSession, credential: Credential, slug: str, *, request_id: str) -> Scope | None:
    """The scope of a member in the organization that has, or had, this slug.

    None for everybody else, as for an organization that does not exist.
    """
    membership = await queries.find_membership(db, credential.user, slug) if is_slug(slug) else None
    if membership is None:
        return None
    return Scope(
        credential.user,
        membership.organization,
        membership,
        request_id,
        session=credential.session,
        token=credential.token,
    )


async def get_scope(db: AsyncSession, credential: Credential, slug: str, *, request_id: str) -> Scope:
    """The scope in the organization that has, or had, this slug. Raises HTTPException(404) for others' and for missing ones."""
    scope = await find_scope(db, credential, slug, request_id=request_id)
    if scope is None:
        raise HTTPException(404)
    return scope


def require_access(scope: Scope, permission: str) -> None:
    """Raises what the organization's security policy has against the session, and what `require_permission` raises."""
    require_policy(scope)
    require_permission(scope, permission)


def require_permission(scope: Scope, permission: str) -> None:
    """Raises NotAllowed, InsufficientScope, and KeyError for a permission that `app.policy` does not have."""
    require_scope(scope.credential, scope_for(permission))
    if not scope.allows(permission):
        raise NotAllowed


async def present_scope(request: Request, credential: CurrentCredential, db: Db, slug: str) -> Scope:
    """The scope of a member in the organization of the path's `slug`, whatever its security policy says.

    Other people's organizations and missing ones are the same 404. A former slug leads to the present one.
    """
    scope = await get_scope(db, credential, slug, request_id=request_id(request))
    if scope.organization.slug != slug:
        raise HTTPException(308, headers={"location": _moved(request, scope.organization.slug)})
    request.state.scope = scope
    if scope.user.time_zone is None:
        live_in(scope.organization.time_zone)
    return scope


async def member_scope(request: Request, scope: Annotated[Scope, Depends(present_scope)]) -> Scope:
    """The scope of a member who has done what the organization's security policy demands; others are led to where they can."""
    try:
        require_policy(scope)
    except (SecondFactorNeeded, SessionTooOld) as refusal:
        if not is_page(request):
            raise
        raise HTTPException(303, headers={"location": _remedy(request, scope, refusal)}) from None
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

        super().__init__(allowed_scope, access=f"permission {permission}", scope=scope_for(permission))
        self.permission = permission


MemberScope = Annotated[Scope, Guard(member_scope, access="member")]


# For the one page that says what the policy demands, and what a member may do before they have done it.
VisitingScope = Annotated[Scope, Guard(present_scope, access="member, whatever the security policy says")]


def _remedy(request: Request, scope: Scope, refusal: Refusal) -> str:
    if isinstance(refusal, SecondFactorNeeded):
        return path_of(request, "organizations.second_factor", slug=scope.organization.slug)
    return log_in_path(path_of(request, "identity.confirm_identity"), requested_path(request))


def _moved(request: Request, present: str) -> str:
    parameters = {**request.path_params, "slug": present}
    path = str(request.app.url_path_for(request.scope["route"].name, **parameters))
    return path + (f"?{request.url.query}" if request.url.query else "")

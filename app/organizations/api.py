"""Organizations, for programs: the same queries, actions and permissions as the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.accounts import limits
from app.audit.models import RequestFacts
from app.database import Db
from app.forms import LINE_PATTERN, JsonBody, Line
from app.organizations import actions, logos, queries
from app.organizations.custom_roles import role_key, role_of
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.logo_handlers import UPLOAD
from app.organizations.models import LONGEST_NAME, Membership, OrganizationKind, Scope
from app.pagination import PAGING_HEADERS, PageQuery, Pager, Position, page_response
from app.pictures import CropForm, cut_out
from app.preferences import LanguageChoice, TimeZoneChoice
from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT
from core.datastructures import UploadFile
from core.middleware.csrf import require_csrf_token
from core.openapi import operation
from core.params import Body, File, Form, Query
from core.requests import Request
from core.responses import Response

PageInput = Annotated[PageQuery, Query()]
UpdatingScope = Annotated[Scope, Allowed("organization.update")]
NextCursor = Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


LOGO_REFUSALS = {
    400: "The form cannot be read.",
    413: "More than 8 MB.",
    422: "No picture of a kind that we take, more than 40 megapixels, or a crop that is outside of it.",
    429: "So many were sent within an hour that the next one has to wait.",
}


class OrganizationOut(BaseModel):
    """An organization, as one of its members sees it."""

    id: UUID
    slug: Annotated[str, Field(description="Its part of every address.", examples=["acme"])]
    name: Annotated[str, Field(examples=["Acme"])]
    kind: OrganizationKind
    role: Annotated[
        str,
        Field(
            description="What the person who asks is there: a built-in role, or the key of one of its own.",
            examples=["owner"],
        ),
    ]
    logo_url: Annotated[
        str | None,
        Field(description="Where its logo is, for everybody who knows the address; another logo has another one."),
    ]
    locale: Annotated[str | None, Field(description="Of messages to members who have chosen no language.")]
    time_zone: Annotated[str | None, Field(description="Of members who have chosen none. Null: UTC.")]
    created_at: datetime


class OrganizationPage(BaseModel):
    """Some of a person's organizations."""

    items: list[OrganizationOut]
    next_cursor: NextCursor


class OrganizationChanges(JsonBody):
    """What can be changed about an organization; what is left out stays."""

    # Left out it is empty, which nobody can submit: there is no null that would take a name back.
    name: Annotated[
        Line,
        Field(
            default_factory=str,
            min_length=1,
            max_length=LONGEST_NAME,
            json_schema_extra={"pattern": LINE_PATTERN},
            examples=["Acme Ltd"],
        ),
    ]
    locale: LanguageChoice = None
    time_zone: TimeZoneChoice = None


@operation(headers=PAGING_HEADERS)
async def list_organizations(
    request: Request, who: Annotated[Credential, Holding(ACCOUNT)], db: Db, page: PageInput
) -> OrganizationPage | Response:
    """List the organizations of the person who is signed in.

    Those that they joined first come first.
    """
    pager = Pager(request, page, f"organizations:{who.user.id}")
    memberships = await queries.list_organizations(db, who.user, after=pager.after, limit=pager.limit)
    found = pager.page(memberships, lambda each: Position(each.joined_at, each.organization_id))
    items = [_organization(request, each) for each in found.rows]
    return page_response(request, OrganizationPage(items=items, next_cursor=found.next_cursor), found.next_cursor)


@operation(refusals=MOVED)
async def show_organization(request: Request, scope: Annotated[Scope, Allowed("organization.view")]) -> OrganizationOut:
    """Show an organization."""
    return _organization(request, scope.membership)


@operation(refusals=MOVED)
async def update_organization(
    request: Request,
    scope: UpdatingScope,
    db: Db,
    changes: Annotated[OrganizationChanges, Body(unique_names=True)],
) -> OrganizationOut:
    """Change an organization.

    Its address stays, whatever it is called. Needs the role owner or admin.
    """
    facts = RequestFacts.of(request)
    if changes.name:
        await actions.rename(db, scope, name=changes.name, facts=facts)
    defaults = changes.model_dump(exclude_unset=True, exclude={"name"})
    await actions.change_defaults(db, scope, facts=facts, **defaults)
    return _organization(request, scope.membership)


@operation(refusals=MOVED | LOGO_REFUSALS)
async def set_logo(
    request: Request,
    scope: UpdatingScope,
    db: Db,
    crop: Annotated[CropForm, Form()],
    picture: Annotated[UploadFile, File()],
) -> OrganizationOut:
    """Give an organization a logo.

    A form with a PNG, JPEG, WebP or GIF picture in the field `picture`. What is kept is a square of its middle, or of the
    place that `crop_x` and `crop_y` (0 to 1) name, as large as `crop_zoom` (1 to 8) leaves it. Needs the role owner or admin.
    """
    await require_csrf_token(request)  # `app.uploads` leaves this form to us, because it is larger than others may be.
    await limits.limit(request, UPLOAD, str(scope.organization.id))
    await logos.set_logo(db, scope, await cut_out(picture, crop.crop), facts=RequestFacts.of(request))
    return _organization(request, scope.membership)


@operation(refusals=MOVED)
async def delete_logo(request: Request, scope: UpdatingScope, db: Db) -> None:
    """Take an organization's logo away. Where there is none, nothing changes."""
    await logos.remove_logo(db, scope, facts=RequestFacts.of(request))


def _organization(request: Request, membership: Membership) -> OrganizationOut:
    organization = membership.organization
    return OrganizationOut(
        id=organization.id,
        slug=organization.slug,
        name=organization.name,
        kind=OrganizationKind(organization.kind),
        role=role_key(role_of(membership)),
        logo_url=logos.logo_url(request, organization),
        locale=organization.locale,
        time_zone=organization.time_zone,
        created_at=organization.created_at,
    )

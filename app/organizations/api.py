"""Organizations, for programs: the same queries, actions and permissions as the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.models import RequestFacts
from app.database import Db
from app.forms import LINE_PATTERN, JsonBody, Line
from app.organizations import actions, queries
from app.organizations.custom_roles import role_key, role_of
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.models import LONGEST_NAME, Membership, OrganizationKind, Scope
from app.pagination import PAGING_HEADERS, PageQuery, Pager, Position, page_response
from app.preferences import LanguageChoice, TimeZoneChoice
from app.tokens.dependencies import Holding
from app.tokens.models import Credential
from app.tokens.scopes import ACCOUNT
from core.openapi import operation
from core.params import Body, Query
from core.requests import Request
from core.responses import Response

PageInput = Annotated[PageQuery, Query()]
NextCursor = Annotated[str | None, Field(description="`cursor` of the next page; null on the last.")]


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
    items = [_organization(each) for each in found.rows]
    return page_response(request, OrganizationPage(items=items, next_cursor=found.next_cursor), found.next_cursor)


@operation(refusals=MOVED)
async def show_organization(scope: Annotated[Scope, Allowed("organization.view")]) -> OrganizationOut:
    """Show an organization."""
    return _organization(scope.membership)


@operation(refusals=MOVED)
async def update_organization(
    request: Request,
    scope: Annotated[Scope, Allowed("organization.update")],
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
    return _organization(scope.membership)


def _organization(membership: Membership) -> OrganizationOut:
    organization = membership.organization
    return OrganizationOut(
        id=organization.id,
        slug=organization.slug,
        name=organization.name,
        kind=OrganizationKind(organization.kind),
        role=role_key(role_of(membership)),
        locale=organization.locale,
        time_zone=organization.time_zone,
        created_at=organization.created_at,
    )

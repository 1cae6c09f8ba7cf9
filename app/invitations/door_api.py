"""Join links and domains, for programs: the same queries, actions and permissions as the pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.audit.models import RequestFacts
from app.config import CurrentSettings
from app.database import Db
from app.email.links import absolute
from app.forms import JsonBody
from app.invitations import domains, door_queries, links
from app.invitations.forms import Days, Uses
from app.invitations.models import JoinDomain, JoinLink
from app.organizations.custom_roles import role_key, role_of
from app.organizations.dependencies import MOVED, Allowed
from app.organizations.forms import Domain
from app.organizations.member_api import RoleName, get_role
from app.organizations.models import Scope
from app.policy import Role
from core.exceptions import HTTPException
from core.openapi import operation
from core.params import Body, Status
from core.requests import Request

InvitingScope = Annotated[Scope, Allowed("invitations.create")]
ViewingScope = Annotated[Scope, Allowed("invitations.view")]


class JoinLinkOut(BaseModel):
    """A link by which people join. Its address is told once, to whoever makes it."""

    id: UUID
    ending: Annotated[str, Field(description="The last characters of its address, to tell links apart.")]
    role: RoleName
    domain: Annotated[
        str | None, Field(description="Where somebody needs a confirmed address to use it. Null: anywhere.")
    ]
    max_uses: int | None
    uses: int
    expires_at: datetime


class NewJoinLinkOut(JoinLinkOut):
    """A link that was just made."""

    url: Annotated[str, Field(description="Not told again.", examples=["https://example.com/join/…"])]


class JoinLinks(BaseModel):
    """The links of an organization that nobody has revoked, the newest first."""

    items: list[JoinLinkOut]


class NewJoinLink(JsonBody):
    """For whom a link is good, and as what they join."""

    role: RoleName = Role.MEMBER.value
    domain: Annotated[Domain | None, Field(examples=["example.com"])] = None
    max_uses: Uses | None = None
    days: Days = 7


class JoinDomainOut(BaseModel):
    """A domain whose people find the organization."""

    domain: Annotated[str, Field(examples=["example.com"])]
    role: RoleName
    asks: Annotated[bool, Field(description="Whether somebody has to let them in.")]


class JoinDomains(BaseModel):
    """The domains whose people find the organization."""

    items: list[JoinDomainOut]


class NewJoinDomain(JsonBody):
    """Whose people may find the organization, and as what they join."""

    domain: Annotated[Domain, Field(examples=["example.com"])]
    role: RoleName = Role.MEMBER.value
    asks: bool = True


@operation(refusals=MOVED)
async def list_join_links(scope: ViewingScope, db: Db) -> JoinLinks:
    """List the links by which people join."""
    return JoinLinks(items=[_link(each) for each in await door_queries.list_links(db, scope)])


@operation(refusals={**MOVED, 409: "There are twenty links already."})
async def create_join_link(
    request: Request,
    scope: InvitingScope,
    db: Db,
    settings: CurrentSettings,
    new: Annotated[NewJoinLink, Body(unique_names=True)],
) -> Annotated[NewJoinLinkOut, Status(201)]:
    """Make a link by which people join.

    Its address is in this answer alone. Nobody makes one for a role above their own.
    """
    role = await get_role(db, scope, new.role)
    values = new.model_dump(exclude={"role"})
    link, code = await links.create_link(db, scope, role=role, **values, facts=RequestFacts.of(request))
    return NewJoinLinkOut(**_link(link).model_dump(), url=absolute(settings, f"/join/{code}"))


@operation(refusals=MOVED)
async def revoke_join_link(request: Request, scope: InvitingScope, db: Db, link_id: UUID) -> None:
    """Revoke a link. Those who came by it stay."""
    link = await door_queries.find_own_link(db, scope, link_id)
    if link is None:
        raise HTTPException(404)
    await links.revoke_link(db, scope, link, facts=RequestFacts.of(request))


@operation(refusals=MOVED)
async def list_join_domains(scope: ViewingScope, db: Db) -> JoinDomains:
    """List the domains whose people find the organization."""
    return JoinDomains(items=[_domain(each) for each in await door_queries.list_domains(db, scope)])


@operation(refusals=MOVED)
async def add_join_domain(
    request: Request, scope: InvitingScope, db: Db, new: Annotated[NewJoinDomain, Body(unique_names=True)]
) -> JoinDomainOut:
    """Let people of a domain find the organization. One that is there already is changed.

    A member needs a confirmed address there.
    """
    role, facts = await get_role(db, scope, new.role), RequestFacts.of(request)
    await domains.add_domain(db, scope, domain=new.domain, role=role, asks=new.asks, facts=facts)
    return JoinDomainOut(domain=new.domain, role=role_key(role), asks=new.asks)


@operation(refusals=MOVED)
async def remove_join_domain(request: Request, scope: InvitingScope, db: Db, domain: str) -> None:
    """Hide the organization from a domain's people. Those who came in stay."""
    if not await domains.remove_domain(db, scope, domain=domain, facts=RequestFacts.of(request)):
        raise HTTPException(404)


def _link(link: JoinLink) -> JoinLinkOut:
    return JoinLinkOut(
        id=link.id,
        ending=link.ending,
        role=role_key(role_of(link)),
        domain=link.domain,
        max_uses=link.max_uses,
        uses=link.uses,
        expires_at=link.expires_at,
    )


def _domain(domain: JoinDomain) -> JoinDomainOut:
    return JoinDomainOut(domain=domain.domain, role=role_key(role_of(domain)), asks=domain.asks)

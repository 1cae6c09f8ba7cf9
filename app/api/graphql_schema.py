"""What can be asked by GraphQL: a person's own data, and what the pages of their organizations show them."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import strawberry
from strawberry.tools import merge_types

from app import features
from app.accounts.models import User
from app.api.fields import Info, described
from app.api.following import Follower
from app.audit import models as audit
from app.audit.queries import list_events
from app.invitations import models as invitations
from app.invitations.queries import list_invitations
from app.organizations import models as organizations
from app.organizations import queries
from app.organizations.custom_roles import role_key, role_of
from app.organizations.logos import logo_url
from app.organizations.member_queries import MemberFacts, list_facts
from app.pagination import DEFAULT_LIMIT, LARGEST_LIMIT
from core.exceptions import HTTPException
from core.graphql import GraphQL

DEFAULT_EVENTS = 20


@strawberry.type
class Person:
    """The person who is signed in."""

    id: UUID
    name: str
    email: str = strawberry.field(description="Empty while no address is verified.")
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "Person":
        return cls(id=user.id, name=user.name, email=user.email, created_at=user.created_at)


@strawberry.type
class Member:
    """A member of an organization. A suspended member keeps their place and may do nothing."""

    user_id: UUID
    name: str
    email: str = strawberry.field(description="Empty while no address is verified.")
    role: str
    status: str
    joined_at: datetime

    @classmethod
    def of(cls, member: MemberFacts) -> "Member":
        return cls(**{**member._asdict(), "user_id": UUID(member.user_id)})


@strawberry.type
class Invitation:
    """An invitation that nobody has answered. Its link is in the mail alone."""

    id: UUID
    email: str
    role: str
    state: str
    expires_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, invitation: invitations.Invitation) -> "Invitation":
        return cls(
            id=invitation.id,
            email=invitation.address,
            role=role_key(role_of(invitation)),
            state=invitation.state.value,
            expires_at=invitation.expires_at,
            created_at=invitation.created_at,
        )


@strawberry.type
class AuditEvent:
    """Something that happened. Labels are what things were called then."""

    id: UUID
    action: str
    actor_label: str | None
    target_type: str | None
    target_label: str | None
    created_at: datetime

    @classmethod
    def of(cls, event: audit.AuditEvent) -> "AuditEvent":
        return cls(
            id=event.id,
            action=event.action,
            actor_label=event.actor_label,
            target_type=event.target_type,
            target_label=event.target_label,
            created_at=event.created_at,
        )


@strawberry.interface
class AnyOrganization:
    """What a member sees of an organization at first sight."""

    id: UUID
    slug: str = strawberry.field(description="Its part of every address.")
    name: str
    kind: str
    role: str = strawberry.field(description="The role of the person who asks.")
    logo_url: str | None = strawberry.field(description="Where its logo is; another one has another address.")
    created_at: datetime


@strawberry.type
class OrganizationEntry(AnyOrganization):
    """An organization in a list. Ask for it by its slug to see what is inside."""


@strawberry.type
class Organization(AnyOrganization):
    """An organization, from the inside."""

    scope: strawberry.Private[organizations.Scope]

    @described("Those who joined first, 100 at most; /api/v1 has all of them in pages.")
    async def members(self, info: Info, first: int = DEFAULT_LIMIT) -> list[Member] | None:
        limit = _bounded(first)
        async with info.context.acting_in(self.scope, "members.view") as db:
            return [Member.of(each) for each in await list_facts(db, self.scope, limit=limit)]

    @described("Who was invited and has not answered, the newest first, 100 at most. For owners and admins.")
    async def invitations(self, info: Info, first: int = DEFAULT_LIMIT) -> list[Invitation] | None:
        limit = _bounded(first)
        async with info.context.acting_in(self.scope, "invitations.view") as db:
            return [Invitation.of(each) for each in await list_invitations(db, self.scope, limit=limit)]

    @described("What happened, the newest first, 100 at most. For owners and admins.")
    async def audit_events(
        self, info: Info, first: int = DEFAULT_EVENTS, before: datetime | None = None
    ) -> list[AuditEvent] | None:
        limit, organization_id = _bounded(first), self.scope.organization.id
        if before is not None and before.tzinfo is None:
            raise HTTPException(422, "`before` needs a time zone, such as a Z at its end.")
        async with info.context.acting_in(self.scope, "audit.view") as db:
            events = await list_events(db, organization_id=organization_id, before=before, limit=limit)
        return [AuditEvent.of(event) for event in events]


@strawberry.type
class Query:
    """Everything that can be asked for."""

    @described("The person who is signed in.")
    def me(self, info: Info) -> Person:
        return Person.of(info.context.user)

    @described("The organizations of the person, those they joined first on top, 100 at most.")
    async def organizations(self, info: Info, first: int = DEFAULT_LIMIT) -> list[OrganizationEntry]:
        limit = _bounded(first)
        async with info.context.in_turn() as db:
            found = await queries.list_organizations(db, info.context.user, limit=limit)
        return [OrganizationEntry(**_at_first_sight(info, membership)) for membership in found]

    @described("An organization of the person. Others' are as missing as those that do not exist.")
    async def organization(self, info: Info, slug: str) -> Organization | None:
        scope = await info.context.scope_in(slug, "organization.view")
        return Organization(**_at_first_sight(info, scope.membership), scope=scope)


@strawberry.type
class Subscription:
    """What can be followed, on a websocket that speaks graphql-transport-ws."""

    @strawberry.subscription(  # type: ignore[untyped-decorator] # strawberry's, whose type says nothing of the function
        description="What happens in an organization, as it happens. For owners and admins."
    )
    async def audit_events(self, info: strawberry.Info[Follower, None], slug: str) -> AsyncIterator[AuditEvent]:
        async for event in info.context.follow_audit(slug):
            yield AuditEvent.of(event)


def _whole_query() -> type:
    """All that can be asked for: the above, and what `Query` of the features' graphql.py adds to it."""
    return merge_types("Query", (Query, *(module.Query for _, module in features.modules("graphql"))))


schema = strawberry.Schema(_whole_query(), subscription=Subscription, types=[OrganizationEntry, Organization])


@lru_cache(maxsize=2)
def graphql_server(introspection: bool) -> GraphQL:
    """The product's GraphQL; it tells its schema only with `introspection`."""
    return GraphQL(schema, introspection=introspection)


@lru_cache(maxsize=2)
def graphql_subscriptions(introspection: bool) -> GraphQL:
    """The same for websockets, where each operation finds a `Follower` in its context."""
    return GraphQL(schema, introspection=introspection, context=lambda websocket: websocket.state.follower)


def _at_first_sight(info: Info, membership: organizations.Membership) -> dict[str, Any]:
    organization = membership.organization
    return {
        "id": organization.id,
        "slug": organization.slug,
        "name": organization.name,
        "kind": organization.kind,
        "role": role_key(role_of(membership)),
        "logo_url": logo_url(info.context.connection, organization),
        "created_at": organization.created_at,
    }


def _bounded(first: int) -> int:
    if not 1 <= first <= LARGEST_LIMIT:
        raise HTTPException(422, f"`first` is a number from 1 to {LARGEST_LIMIT}.")
    return first

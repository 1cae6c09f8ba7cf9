"""Who belongs to an organization: in pages, by role, by status, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import BindParameter

from app.accounts.models import Email, Session, User
from app.organizations.models import CustomRole, Membership, MembershipStatus, OwnershipOffer, Scope
from app.pagination import Pages, Position
from app.policy import Role
from app.reads import Read
from app.searching import containing

Columns = TypeVarTuple("Columns")

# Beyond this many the page says "more than": an exact count would cost more than the page.
MOST_COUNTED = 1_000
MOST_RECEIVERS = 100


@dataclass(frozen=True)
class MemberFilter:
    """Which members are asked for; empty values ask for all. A role is named by its key, built-in or not."""

    role: str | None = None
    status: str | None = None
    search: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.role or self.status or self.search)


class MemberFacts(NamedTuple):
    """What programs are told of a member. `email` is empty while no address is verified; `role` is a role's key.

    The id is text already: making JSON of the driver's UUIDs costs five times what all the rest of a page does.
    """

    user_id: str
    name: str
    email: str
    role: str
    status: str
    joined_at: datetime


class ListedMember(NamedTuple):
    """The same, and what the page says besides: their picture, and for those who change members how safe and how awake they are."""

    user_id: str
    name: str
    email: str
    role: str
    status: str
    joined_at: datetime
    avatar_digest: str | None
    second_factor_at: datetime | None
    last_seen_at: datetime | None


_LAST_SEEN = select(func.max(Session.last_seen_at)).where(Session.user_id == User.id).correlate(User).scalar_subquery()
_role_key = func.coalesce(CustomRole.key, Membership.role)
_ORDER = (Membership.joined_at, Membership.user_id)


def _of_members(statement: Select[*Columns]) -> Select[*Columns]:
    return (
        statement.select_from(Membership)
        .join(Membership.user)
        .outerjoin(User.primary_email)
        .outerjoin(Membership.custom_role)
        .where(Membership.organization_id == bindparam("organization_id"))
    )


def _wanted(statement: Select[*Columns]) -> Select[*Columns]:
    return statement.where(
        or_(_chosen("role").is_(None), _role_key == _chosen("role")),
        or_(_chosen("status").is_(None), Membership.status == _chosen("status")),
        or_(
            _chosen("pattern").is_(None),
            User.name.ilike(_chosen("pattern"), escape="\\"),
            Email.address.ilike(_chosen("pattern"), escape="\\"),
        ),
    )


def _chosen(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text())


# Columns rather than instances: a page of fifty members would otherwise make two hundred.
_FACTS_OF_MEMBERS = _of_members(
    select(
        Membership.user_id.cast(Text).label("user_id"),
        User.name,
        func.coalesce(Email.address, "").label("email"),
        _role_key.label("role"),
        Membership.status,
        Membership.joined_at,
    )
)
_LISTED = _FACTS_OF_MEMBERS.add_columns(User.avatar_digest, User.second_factor_at, _LAST_SEEN.label("last_seen_at"))
_MEMBERS = Pages(_LISTED, order=_ORDER)
_FOUND = Pages(_wanted(_LISTED), order=_ORDER)
_FACTS = Pages(_FACTS_OF_MEMBERS, order=_ORDER)
_FOUND_FACTS = Pages(_wanted(_FACTS_OF_MEMBERS), order=_ORDER)


async def list_members(
    db: AsyncSession,
    scope: Scope,
    wanted: MemberFilter = MemberFilter(),
    *,
    after: Position | None = None,
    limit: int | None = None,
) -> Sequence[ListedMember]:
    """The organization's members, those who joined first on top."""
    pages = _MEMBERS if wanted.is_empty else _FOUND
    rows = await pages.page(db, after, limit, **_values(scope, wanted))
    return [ListedMember(*row) for row in rows]


async def list_facts(
    db: AsyncSession,
    scope: Scope,
    wanted: MemberFilter = MemberFilter(),
    *,
    after: Position | None = None,
    limit: int | None = None,
) -> Sequence[MemberFacts]:
    """As `list_members`, for programs."""
    pages = _FACTS if wanted.is_empty else _FOUND_FACTS
    rows = await pages.page(db, after, limit, **_values(scope, wanted))
    return [MemberFacts(*row) for row in rows]


def _values(scope: Scope, wanted: MemberFilter) -> dict[str, object]:
    of: dict[str, object] = {"organization_id": scope.organization.id}
    if wanted.is_empty:
        return of
    return {**of, "role": wanted.role, "status": wanted.status, "pattern": containing(wanted.search)}


_COUNT = Read(
    select(func.count()).select_from(
        select(Membership.user_id)
        .where(Membership.organization_id == bindparam("organization_id"))
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
)


async def count_members(db: AsyncSession, scope: Scope) -> int:
    """How many members there are; one more than MOST_COUNTED stands for any number above."""
    row = await _COUNT.first(db, organization_id=scope.organization.id)
    return row[0] if row else 0


async def find_member(db: AsyncSession, scope: Scope, user_id: UUID, *, is_locked: bool = False) -> Membership | None:
    """A member of the scope's organization, with their person and address; locked for whoever decides by the role it has."""
    chosen = (Membership.organization_id == scope.organization.id, Membership.user_id == user_id)
    if is_locked:
        # By a statement of its own: one that waits for a row joins to it what belonged to it before, here the former role.
        await db.execute(select(Membership.user_id).where(*chosen).with_for_update())
    statement = select(Membership).options(joinedload(Membership.user).joinedload(User.primary_email))
    return await db.scalar(statement.where(*chosen).execution_options(populate_existing=True))


async def list_owners(db: AsyncSession, organization_id: UUID) -> Sequence[User]:
    """The active owners of an organization that the transaction has named, with their addresses."""
    statement = (
        select(User)
        .options(joinedload(User.primary_email))
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == organization_id,
            Membership.role == Role.OWNER,
            Membership.status == MembershipStatus.ACTIVE,
        )
        .order_by(Membership.joined_at)
    )
    return (await db.scalars(statement)).all()


async def has_other_owner(db: AsyncSession, member: Membership) -> bool:
    """Whether an active owner would be left without this member; without a statement for somebody who owns nothing."""
    if member.role != Role.OWNER or member.status != MembershipStatus.ACTIVE:
        return True
    other = exists().where(
        Membership.organization_id == member.organization_id,
        Membership.user_id != member.user_id,
        Membership.role == Role.OWNER,
        Membership.status == MembershipStatus.ACTIVE,
    )
    return bool(await db.scalar(select(other)))


async def list_receivers(db: AsyncSession, scope: Scope) -> Sequence[User]:
    """Those to whom the organization may be handed over: active members who do not own it, a hundred at most."""
    return await _list_active(db, scope, Membership.role != Role.OWNER)


async def list_successors(db: AsyncSession, scope: Scope, user_id: UUID) -> Sequence[User]:
    """Those who may take over what a member answers for: all other active members, a hundred at most."""
    return await _list_active(db, scope, Membership.user_id != user_id)


async def _list_active(db: AsyncSession, scope: Scope, condition: ColumnElement[bool]) -> Sequence[User]:
    """The active members for whom the condition holds, by name, with their addresses."""
    statement = (
        select(User)
        .options(joinedload(User.primary_email))
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.organization_id == scope.organization.id,
            Membership.status == MembershipStatus.ACTIVE,
            condition,
        )
        .order_by(User.name)
        .limit(MOST_RECEIVERS)
    )
    return (await db.scalars(statement)).all()


async def find_offer(db: AsyncSession, scope: Scope) -> OwnershipOffer | None:
    """The open offer of ownership, even an expired one, with both people and their addresses."""
    statement = (
        select(OwnershipOffer)
        .options(
            joinedload(OwnershipOffer.giver).joinedload(User.primary_email),
            joinedload(OwnershipOffer.receiver).joinedload(User.primary_email),
        )
        .where(
            OwnershipOffer.organization_id == scope.organization.id,
            OwnershipOffer.accepted_at.is_(None),
            OwnershipOffer.declined_at.is_(None),
            OwnershipOffer.withdrawn_at.is_(None),
        )
    )
    return await db.scalar(statement)

"""Invitations, links and domains: what an organization has given out, and what somebody may answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.models import Email, User
from app.accounts.sessions import hash_token
from app.database import system_scope
from app.invitations.models import Invitation
from app.notifications.queries import BELL
from app.organizations.models import CustomRole, Membership, MembershipStatus, Organization, Scope
from app.pagination import Pages, Position
from app.reads import Read
from app.searching import containing

MOST_SWITCHED = 100


@dataclass(frozen=True)
class Entry:
    """An organization as the switcher shows it."""

    id: UUID
    slug: str
    name: str
    logo_digest: str | None
    kind: str


@dataclass(frozen=True)
class Shell:
    """What the frame around a person's pages shows: their organizations by name, what waits for them, and the bell."""

    organizations: list[Entry]
    pending_invitations: int
    unread_notifications: int
    live_since: int


def is_unanswered() -> list[ColumnElement[bool]]:
    """The conditions under which an invitation waits for an answer, or to be sent again if it has expired."""
    return [Invitation.accepted_at.is_(None), Invitation.declined_at.is_(None), Invitation.revoked_at.is_(None)]


def is_open() -> list[ColumnElement[bool]]:
    """The conditions under which an invitation can still be accepted."""
    return [*is_unanswered(), Invitation.expires_at > clock.now()]


def _with_people(statement: Select[Invitation]) -> Select[Invitation]:
    return statement.options(
        joinedload(Invitation.organization), joinedload(Invitation.inviter).joinedload(User.primary_email)
    )


def _is_for(user_id: UUID | ColumnElement[UUID]) -> ColumnElement[bool]:
    own = exists().where(
        Email.user_id == user_id,
        Email.verified_at.is_not(None),
        func.lower(Email.address) == func.lower(Invitation.address),
    )
    return own.correlate(Invitation)


_ENTRY = (Organization.id, Organization.slug, Organization.name, Organization.logo_digest, Organization.kind)
_membership = (
    select(Membership.user_id, *_ENTRY)
    .join(Membership.organization)
    .where(Membership.status == MembershipStatus.ACTIVE, Organization.status == "active")
    .subquery()
)
# All that the frame around a page shows, in one statement. Whoever belongs to no organization has one row without one.
_SHELL = Read(
    select(
        _membership.c.id,
        _membership.c.slug,
        _membership.c.name,
        _membership.c.logo_digest,
        _membership.c.kind,
        select(func.count())
        .select_from(Invitation)
        .where(
            *is_unanswered(),
            Invitation.expires_at > bindparam("now"),
            _is_for(bindparam("user_id", type_=Uuid())),
        )
        .scalar_subquery()
        .label("pending"),
        *BELL,
    )
    .select_from(User)
    .outerjoin(_membership, _membership.c.user_id == User.id)
    .where(User.id == bindparam("user_id"))
    .order_by(func.lower(_membership.c.name), _membership.c.id)
    .limit(MOST_SWITCHED)
)


async def find_shell(db: AsyncSession, user_id: UUID) -> Shell:
    """What the frame shows a person. The transaction must have named them."""
    rows = await _SHELL.all(db, user_id=user_id, now=clock.now())
    entries = [Entry(*row[:5]) for row in rows if row[0] is not None]
    return Shell(entries, *rows[0][5:])


async def find_with_people(db: AsyncSession, invitation_id: UUID) -> Invitation | None:
    """An open invitation of any organization, for the worker; the transaction needs a system scope."""
    return await db.scalar(_with_people(select(Invitation)).where(Invitation.id == invitation_id, *is_open()))


async def list_entries(db: AsyncSession, user: User, search: str = "") -> list[Entry]:
    """A person's organizations by name, those only whose name contains `search` if there is one."""
    statement = (
        select(*_ENTRY)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(
            Membership.user_id == user.id,
            Membership.status == MembershipStatus.ACTIVE,
            Organization.status == "active",
            Organization.name.ilike(containing(search) or "%", escape="\\"),
        )
        .order_by(func.lower(Organization.name), Organization.id)
    )
    return [Entry(*row) for row in await db.execute(statement)]


_INVITATIONS = Pages(
    select(Invitation, User, CustomRole)
    .outerjoin(Invitation.inviter)
    .outerjoin(Invitation.custom_role)
    .where(
        Invitation.organization_id == bindparam("organization_id"),
        *is_unanswered(),
    ),
    Invitation.inviter,
    Invitation.custom_role,
    order=(Invitation.created_at, Invitation.id),
    newest_first=True,
)


async def list_invitations(
    db: AsyncSession, scope: Scope, *, after: Position | None = None, limit: int | None = None
) -> Sequence[Invitation]:
    """The invitations that nobody has answered, expired ones too, with who sent them, the newest on top."""
    rows = await _INVITATIONS.page(db, after, limit, organization_id=scope.organization.id)
    return [invitation for invitation, *_ in rows]


async def count_invitations(db: AsyncSession, scope: Scope) -> int:
    """How many invitations of the organization nobody has answered yet."""
    statement = select(func.count()).where(
        Invitation.organization_id == scope.organization.id,
        *is_unanswered(),
    )
    return await db.scalar(statement) or 0


async def find_invitation(db: AsyncSession, scope: Scope, invitation_id: UUID) -> Invitation | None:
    """An unanswered invitation of the scope's organization."""
    statement = select(Invitation).where(
        Invitation.organization_id == scope.organization.id,
        Invitation.id == invitation_id,
        *is_unanswered(),
    )
    return await db.scalar(statement)


async def find_by_token(db: AsyncSession, token: str) -> Invitation | None:
    """The invitation of a mailed token, in whatever state, with its organization and inviter: who has the token was invited."""
    statement = _with_people(select(Invitation).where(Invitation.token_hash == hash_token(token)))
    async with system_scope(db):
        return await db.scalar(statement)


async def find_for_person(db: AsyncSession, user: User, invitation_id: UUID) -> Invitation | None:
    """An open invitation to an address that this person has verified, with its organization and inviter."""
    statement = select(Invitation).where(Invitation.id == invitation_id, *is_open(), _is_for(user.id))
    async with system_scope(db):
        return await db.scalar(_with_people(statement))


async def list_for_person(db: AsyncSession, user: User) -> Sequence[Invitation]:
    """The open invitations to addresses that this person has verified, with their organizations and inviters."""
    statement = (
        select(Invitation)
        .join(Invitation.organization)
        .where(*is_open(), _is_for(user.id), Organization.status == "active")
        .order_by(Invitation.created_at.desc())
    )
    async with system_scope(db):
        return (await db.scalars(_with_people(statement))).all()


async def has_verified(db: AsyncSession, user: User, address: str) -> bool:
    """Whether a person has proved that the address is theirs."""
    own = exists().where(
        Email.user_id == user.id, Email.verified_at.is_not(None), func.lower(Email.address) == address.lower()
    )
    return bool(await db.scalar(select(own)))


async def list_verified(db: AsyncSession, user: User) -> Sequence[str]:
    """The addresses that a person has proved."""
    statement = select(Email.address).where(Email.user_id == user.id, Email.verified_at.is_not(None))
    return (await db.scalars(statement)).all()


async def list_known(
    db: AsyncSession, scope: Scope, addresses: Sequence[str]
) -> tuple[set[str], dict[str, Invitation]]:
    """Which of these addresses (in lower case) are members', and which have an unanswered invitation.

    Only the addresses that the list of members shows count: inviting must not tell what else belongs to somebody.
    """
    folded = func.lower(Email.address)
    members = (
        select(folded)
        .join(Membership, Membership.user_id == Email.user_id)
        .where(Membership.organization_id == scope.organization.id, Email.is_primary, folded.in_(addresses))
    )
    invited = select(Invitation).where(
        Invitation.organization_id == scope.organization.id,
        *is_unanswered(),
        func.lower(Invitation.address).in_(addresses),
    )
    open_invitations = {each.address.lower(): each for each in await db.scalars(invited)}
    return set(await db.scalars(members)), open_invitations


async def find_membership_of(db: AsyncSession, organization_id: UUID, user_id: UUID | None) -> Membership | None:
    """Somebody's active membership, kept as it is until the transaction ends. It must have named the organization."""
    chosen = (
        Membership.organization_id == organization_id,
        Membership.user_id == user_id,
        Membership.status == MembershipStatus.ACTIVE,
    )
    # By a statement of its own, as in `member_queries.find_member`.
    await db.execute(select(Membership.user_id).where(*chosen).with_for_update(read=True))
    return await db.scalar(select(Membership).where(*chosen).execution_options(populate_existing=True))


async def is_member(db: AsyncSession, organization_id: UUID, user: User) -> bool:
    """Whether a person belongs to an organization, active or not. The transaction must have named the user."""
    own = exists().where(Membership.organization_id == organization_id, Membership.user_id == user.id)
    return bool(await db.scalar(select(own)))

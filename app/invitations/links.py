"""Links by which anybody who is given one becomes a member."""

from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.accounts.sessions import hash_token, new_token
from app.audit.models import RequestFacts
from app.database import name_organization
from app.errors import Refusal
from app.ids import uuid7
from app.invitations import door_queries, queries
from app.invitations.joining import OutsideDomains, become_member, require_admission
from app.invitations.models import JoinLink
from app.language import N_
from app.organizations.custom_roles import AnyRole, note_role, role_columns, role_key, role_of
from app.organizations.granting import may_grant, require_power_over
from app.organizations.models import Organization, Scope
from app.organizations.recording import note_about

MOST_LINKS = 20
ENDING_LENGTH = 4


class TooManyLinks(Refusal):
    status_code = 409

    def __init__(self) -> None:
        super().__init__(N_("There are twenty links already. Revoke one first."))


class JoinLinkGone(Refusal):
    """Expired, used up, revoked, or made by somebody who may not invite (so) any more."""

    status_code = 410

    def __init__(self) -> None:
        super().__init__(N_("This link does not work any more. Ask for a new one."))


async def create_link(
    db: AsyncSession,
    scope: Scope,
    *,
    role: AnyRole,
    domain: str | None,
    max_uses: int | None,
    days: int,
    facts: RequestFacts,
) -> tuple[JoinLink, str]:
    """Make a link; the second value is its code, which nobody can find out later. Raises TooManyLinks, AboveYourOwnRole."""
    require_power_over(scope.membership, role)
    if len(await door_queries.list_links(db, scope)) >= MOST_LINKS:
        raise TooManyLinks
    code = new_token()
    link = JoinLink(
        id=uuid7(),
        organization_id=scope.organization.id,
        code_hash=hash_token(code),
        ending=code[-ENDING_LENGTH:],
        created_by=scope.user.id,
        **role_columns(role),
        domain=domain,
        max_uses=max_uses,
        expires_at=clock.now() + timedelta(days=days),
    )
    db.add(link)
    await db.flush()
    note_role(link, role)
    values = {"role": role_key(role), "domain": domain, "max_uses": max_uses, "days": days}
    changes = {name: [None, value] for name, value in values.items()}
    await note_about(db, "join_links.created", scope, ("join_link", link.id, f"…{link.ending}"), facts, changes)
    return link, code


async def revoke_link(db: AsyncSession, scope: Scope, link: JoinLink, *, facts: RequestFacts) -> None:
    """Take a link back. Those who came by it stay."""
    link.revoked_at = clock.now()
    await note_about(db, "join_links.revoked", scope, ("join_link", link.id, f"…{link.ending}"), facts)


async def join_by_link(db: AsyncSession, user: User, link: JoinLink, *, facts: RequestFacts) -> Organization:
    """Become a member by a link. Raises JoinLinkGone, OutsideDomains and RoleGone."""
    organization = link.organization
    await require_usable(db, user, link)
    await name_organization(db, organization.id)
    # Who comes by the same link waits here, and so does who deletes its role: none of them for something that we hold later.
    await db.execute(select(JoinLink.id).where(JoinLink.id == link.id).with_for_update())
    maker = await queries.find_membership_of(db, organization.id, link.created_by)
    if maker is None or "invitations.create" not in maker.permissions or not may_grant(maker, link):
        raise JoinLinkGone
    joined = await become_member(
        db, organization, user, role=role_of(link), invited_by=link.created_by, door="link", facts=facts
    )
    if joined:
        await _count_use(db, link)
    user.current_organization_id = organization.id
    return organization


async def require_usable(db: AsyncSession, user: User, link: JoinLink) -> None:
    """Raises JoinLinkGone and OutsideDomains if this person cannot use the link."""
    is_used_up = link.max_uses is not None and link.uses >= link.max_uses
    if link.revoked_at or link.expires_at <= clock.now() or is_used_up or link.organization.status != "active":
        raise JoinLinkGone
    if link.domain is not None:
        addresses = await queries.list_verified(db, user)
        if not any(address.rpartition("@")[2].lower() == link.domain for address in addresses):
            raise OutsideDomains
    await require_admission(db, link.organization, user)


async def _count_use(db: AsyncSession, link: JoinLink) -> None:
    """Of requests that meet, no more get in than the link is good for: the row's lock puts them in a line."""
    statement = (
        update(JoinLink)
        .where(
            JoinLink.id == link.id,
            JoinLink.revoked_at.is_(None),
            JoinLink.expires_at > clock.now(),
            or_(JoinLink.max_uses.is_(None), JoinLink.uses < JoinLink.max_uses),
        )
        .values(uses=JoinLink.uses + 1)
        .returning(JoinLink.id)
    )
    if await db.scalar(statement.execution_options(synchronize_session=False)) is None:
        raise JoinLinkGone

"""Joining by the domain of one's address: colleagues find the organization and come in, or ask to."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import name_organization, system_scope
from app.errors import Refusal
from app.invitations import door_queries, emails, queries
from app.invitations.joining import become_member, require_admission
from app.invitations.models import JoinDomain, JoinRequest
from app.language import N_
from app.organizations.custom_roles import AnyRole, role_columns, role_key, role_of
from app.organizations.granting import require_power_over
from app.organizations.member_queries import list_owners
from app.organizations.models import Organization, Scope
from app.organizations.recording import note_about, note_by
from app.policy import Role

# Anybody can have an address at one of these: it says nothing about who belongs together.
PUBLIC_DOMAINS = frozenset(
    """aol.com fastmail.com freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.com
    icloud.com live.com mail.com mail.ru me.com msn.com outlook.com pm.me posteo.de proton.me protonmail.com qq.com t-online.de
    tutanota.com web.de yahoo.com yandex.ru zoho.com 163.com""".split()  # noqa: SIM905 - easier to read and to add to.
)


class DomainNotYours(Refusal):
    def __init__(self) -> None:
        super().__init__(
            N_("Choose a domain at which a member has a confirmed address, and not one that anybody can use.")
        )


class CannotJoin(Refusal):
    """No organization of that id can be joined by this person's domains: it may not even exist."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("You cannot join this organization by your address."))


async def add_domain(
    db: AsyncSession, scope: Scope, *, domain: str, role: AnyRole, asks: bool, facts: RequestFacts
) -> None:
    """Let people of a domain find the organization. One that is there already is changed.

    Raises DomainNotYours, and AboveYourOwnRole.
    """
    require_power_over(scope.membership, role)
    if domain in PUBLIC_DOMAINS or domain not in await door_queries.list_member_domains(db, scope):
        raise DomainNotYours
    values = {"asks": asks, **role_columns(role)}
    key = {"organization_id": scope.organization.id, "domain": domain}
    statement = insert(JoinDomain).values(**key, **values, created_by=scope.user.id, created_at=clock.now())
    await db.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    target = ("join_domain", scope.organization.id, domain)
    said = {"domain": domain, "role": role_key(role), "asks": asks}
    await note_about(
        db, "join_domains.added", scope, target, facts, {name: [None, each] for name, each in said.items()}
    )


async def remove_domain(db: AsyncSession, scope: Scope, *, domain: str, facts: RequestFacts) -> bool:
    """Hide the organization from a domain's people again; False if it was hidden already. Those who came in stay."""
    statement = delete(JoinDomain).where(
        JoinDomain.organization_id == scope.organization.id, JoinDomain.domain == domain
    )
    if await db.scalar(statement.returning(JoinDomain.domain)) is None:
        return False
    target = ("join_domain", scope.organization.id, domain)
    await note_about(db, "join_domains.removed", scope, target, facts, {"domain": [domain, None]})
    return True


async def join_by_domain(
    db: AsyncSession, settings: Settings, user: User, organization_id: UUID, *, facts: RequestFacts
) -> Organization | None:
    """Come in, or ask to: None means that somebody has to decide. Raises CannotJoin, OutsideDomains and RoleGone."""
    if not any(each.id == organization_id for each in await door_queries.list_joinable(db, user)):
        raise CannotJoin
    async with system_scope(db):
        organization = await db.get_one(Organization, organization_id)
    await require_admission(db, organization, user)
    await name_organization(db, organization_id)
    addresses = await queries.list_verified(db, user)
    domain = await door_queries.find_domain(db, organization_id, addresses)
    if domain is None:
        raise CannotJoin
    if domain.asks:
        address = next(each for each in addresses if door_queries.domain_of(each) == domain.domain)
        await _ask(db, settings, user, organization, address, facts)
        return None
    await become_member(db, organization, user, role=role_of(domain), invited_by=None, door="domain", facts=facts)
    user.current_organization_id = organization_id
    return organization


async def grant(
    db: AsyncSession, settings: Settings, scope: Scope, request: JoinRequest, *, facts: RequestFacts
) -> None:
    """Let somebody in who asked to, as what their domain says, and tell them.

    Raises CannotJoin if their address is not theirs any more, AboveYourOwnRole, OutsideDomains and RoleGone.
    """
    if not await queries.has_verified(db, request.user, request.address):
        raise CannotJoin
    await require_admission(db, scope.organization, request.user)
    domain = await door_queries.find_domain(db, scope.organization.id, [request.address])
    role = role_of(domain) if domain else Role.MEMBER
    require_power_over(scope.membership, domain or role)
    await become_member(
        db, scope.organization, request.user, role=role, invited_by=scope.user.id, door="request", facts=facts
    )
    await _forget(db, request)
    await _note(db, "join_requests.granted", scope, request, facts)
    await emails.send_let_in(db, settings, scope, request.user)


async def refuse(db: AsyncSession, scope: Scope, request: JoinRequest, *, facts: RequestFacts) -> None:
    """Do not let somebody in. They are not told, and may ask again."""
    await _forget(db, request)
    await _note(db, "join_requests.refused", scope, request, facts)


async def _ask(
    db: AsyncSession, settings: Settings, user: User, organization: Organization, address: str, facts: RequestFacts
) -> None:
    """Ask once: somebody who has asked already waits."""
    row = {"organization_id": organization.id, "user_id": user.id, "address": address, "created_at": clock.now()}
    statement = insert(JoinRequest).values(**row).on_conflict_do_nothing().returning(JoinRequest.user_id)
    if await db.scalar(statement.execution_options(synchronize_session=False)) is not None:
        await note_by(db, "join_requests.made", organization, user, ("user", user.id, user.name), facts)
        for owner in await list_owners(db, organization.id):
            await emails.send_asked(db, settings, organization, owner, who=user)


async def _forget(db: AsyncSession, request: JoinRequest) -> None:
    statement = delete(JoinRequest).where(
        JoinRequest.organization_id == request.organization_id, JoinRequest.user_id == request.user_id
    )
    await db.execute(statement.execution_options(synchronize_session=False))


async def _note(db: AsyncSession, action: str, scope: Scope, request: JoinRequest, facts: RequestFacts) -> None:
    await note_about(db, action, scope, ("user", request.user_id, request.user.name), facts)

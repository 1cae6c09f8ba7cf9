"""Joining by the domain of one's address: colleagues find the organization and come in, or ask to."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import name_organization, system_scope
from app.errors import Refusal
from app.invitations import door_queries, emails, queries
from app.invitations.joining import become_member, require_admission
from app.invitations.models import JoinDomain, JoinRequest
from app.language import N_
from app.organizations.member_queries import list_owners
from app.organizations.models import Organization, Scope
from app.organizations.recording import note_about
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


async def add_domain(db: AsyncSession, scope: Scope, *, domain: str, asks: bool, facts: RequestFacts) -> None:
    """Let people of a domain find the organization. Raises DomainNotYours. One that is there already is changed."""
    if domain in PUBLIC_DOMAINS or domain not in await door_queries.list_member_domains(db, scope):
        raise DomainNotYours
    row = {"organization_id": scope.organization.id, "domain": domain, "asks": asks}
    statement = insert(JoinDomain).values(**row, created_by=scope.user.id, created_at=clock.now())
    await db.execute(statement.on_conflict_do_update(index_elements=["organization_id", "domain"], set_={"asks": asks}))
    target = ("join_domain", scope.organization.id, domain)
    await note_about(db, "join_domains.added", scope, target, facts, {"domain": [None, domain], "asks": [None, asks]})


async def remove_domain(db: AsyncSession, scope: Scope, *, domain: str, facts: RequestFacts) -> None:
    """Hide the organization from a domain's people again. Those who came in stay."""
    statement = delete(JoinDomain).where(
        JoinDomain.organization_id == scope.organization.id, JoinDomain.domain == domain
    )
    if await db.scalar(statement.returning(JoinDomain.domain)) is not None:
        target = ("join_domain", scope.organization.id, domain)
        await note_about(db, "join_domains.removed", scope, target, facts, {"domain": [domain, None]})


async def join_by_domain(
    db: AsyncSession, settings: Settings, user: User, organization_id: UUID, *, facts: RequestFacts
) -> Organization | None:
    """Come in, or ask to: None means that somebody has to decide. Raises CannotJoin and OutsideDomains."""
    found = next((each for each in await door_queries.list_joinable(db, user) if each.id == organization_id), None)
    if found is None:
        raise CannotJoin
    async with system_scope(db):
        organization = await db.get_one(Organization, organization_id)
    await require_admission(db, organization, user)
    await name_organization(db, organization_id)
    if found.asks and found.is_requested:
        return None
    if found.asks:
        await _ask(db, settings, user, organization, facts)
        return None
    await become_member(db, organization, user, role=Role.MEMBER, invited_by=None, door="domain", facts=facts)
    user.current_organization_id = organization_id
    return organization


async def grant(
    db: AsyncSession, settings: Settings, scope: Scope, request: JoinRequest, *, facts: RequestFacts
) -> None:
    """Let somebody in who asked to, and tell them. Raises CannotJoin if their address is not theirs any more."""
    if not await queries.has_verified(db, request.user, request.address):
        raise CannotJoin
    await require_admission(db, scope.organization, request.user)
    await become_member(
        db, scope.organization, request.user, role=Role.MEMBER, invited_by=scope.user.id, door="request", facts=facts
    )
    await _forget(db, request)
    await _note(db, "join_requests.granted", scope, request, facts)
    await emails.send_let_in(db, settings, scope, request.user)


async def refuse(db: AsyncSession, scope: Scope, request: JoinRequest, *, facts: RequestFacts) -> None:
    """Do not let somebody in. They are not told, and may ask again."""
    await _forget(db, request)
    await _note(db, "join_requests.refused", scope, request, facts)


async def _ask(
    db: AsyncSession, settings: Settings, user: User, organization: Organization, facts: RequestFacts
) -> None:
    domains = {each.domain for each in await door_queries.list_domains_of(db, organization.id)}
    addresses = await queries.list_verified(db, user)
    address = next(each for each in addresses if each.rpartition("@")[2].lower() in domains)
    row = {"organization_id": organization.id, "user_id": user.id, "address": address, "created_at": clock.now()}
    statement = insert(JoinRequest).values(**row).on_conflict_do_nothing().returning(JoinRequest.user_id)
    if await db.scalar(statement.execution_options(synchronize_session=False)) is not None:
        await record(
            db,
            "join_requests.made",
            actor_id=user.id,
            actor_label=user.name,
            organization_id=organization.id,
            target_type="user",
            target_id=user.id,
            target_label=user.name,
            request=facts,
        )
        for owner in await list_owners(db, organization.id):
            await emails.send_asked(db, settings, organization, owner, who=user)


async def _forget(db: AsyncSession, request: JoinRequest) -> None:
    statement = delete(JoinRequest).where(
        JoinRequest.organization_id == request.organization_id, JoinRequest.user_id == request.user_id
    )
    await db.execute(statement.execution_options(synchronize_session=False))


async def _note(db: AsyncSession, action: str, scope: Scope, request: JoinRequest, facts: RequestFacts) -> None:
    await note_about(db, action, scope, ("user", request.user_id, request.user.name), facts)

"""What happened in an organization, in words that name its own roles."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent
from app.audit.sentences import roles_named, sentence
from app.organizations.custom_roles import list_custom_roles
from app.organizations.models import Scope
from app.organizations.role_names import role_options
from app.policy import Role


async def sentences(
    db: AsyncSession, scope: Scope, events: Sequence[AuditEvent], *, product: str
) -> Mapping[UUID, str]:
    """A sentence for each event, by its id."""
    roles = await role_names_of(db, scope, events)
    return {event.id: sentence(event, product=product, roles=roles) for event in events}


async def role_names_of(db: AsyncSession, scope: Scope, events: Sequence[AuditEvent]) -> Mapping[str, str]:
    """What the roles of the events are called, by their keys. Asks for the organization's own only if one of them is named."""
    names_own = set().union(*map(roles_named, events)) - set(Role)
    own = await list_custom_roles(db, scope) if names_own else ()
    return dict(role_options([*Role, *own]))

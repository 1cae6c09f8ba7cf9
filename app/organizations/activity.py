"""What happened in an organization, in words that name its own roles."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent
from app.audit.sentences import role_given, sentence
from app.organizations.custom_roles import list_custom_roles
from app.organizations.models import Scope
from app.organizations.role_names import role_options
from app.policy import Role


async def sentences(
    db: AsyncSession, scope: Scope, events: Sequence[AuditEvent], *, product: str
) -> Mapping[UUID, str]:
    """A sentence for each event, by its id. Asks for the organization's own roles only if one of them is named."""
    names_own = {role_given(event) for event in events} - {None, *Role}
    own = await list_custom_roles(db, scope) if names_own else ()
    roles = dict(role_options([*Role, *own]))
    return {event.id: sentence(event, product=product, roles=roles) for event in events}

"""Writing the audit trail."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent, RequestFacts

Target = tuple[str, UUID, str | None]  # What something is, its id, and what it is called.


class Person(Protocol):
    """Whoever did something: a user of `app.accounts`, which is built on this feature."""

    @property
    def id(self) -> UUID: ...

    @property
    def name(self) -> str: ...


async def record_by(
    db: AsyncSession,
    action: str,
    person: Person,
    facts: RequestFacts,
    *,
    target: Target | None = None,
    organization_id: UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Note what a person did, and to what: as `record`, which is for all else that happens."""
    target_type, target_id, target_label = target or (None, None, None)
    return await record(
        db,
        action,
        actor_id=person.id,
        actor_label=person.name,
        organization_id=organization_id,
        target_type=target_type,
        target_id=target_id,
        target_label=target_label,
        changes=changes,
        request=facts,
    )


async def record(
    db: AsyncSession,
    action: str,
    *,
    actor_id: UUID | None,
    request: RequestFacts,
    organization_id: UUID | None = None,
    actor_type: str | None = None,
    actor_label: str | None = None,
    target_type: str | None = None,
    target_id: UUID | None = None,
    target_label: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Note that `action` ("feature.past_tense_verb") happened, if this transaction commits.

    Without an `actor_id` the product itself acted. If a program asked with a token, the token acted for the person; its name
    stands behind theirs. `changes` maps field names to `[before, after]`; never put a secret
    in it. An event of an organization can only be written while the transaction names that organization.
    """
    by_token = request.token_id is not None and actor_id is not None and actor_type is None
    event = AuditEvent(
        action=action,
        actor_type="token" if by_token else actor_type or ("user" if actor_id else "system"),
        actor_id=request.token_id if by_token else actor_id,
        actor_label=f"{actor_label} ({request.token_name})" if by_token else actor_label,
        on_behalf_of=actor_id if by_token else None,
        organization_id=organization_id,
        target_type=target_type,
        target_id=target_id,
        target_label=target_label,
        changes=dict(changes) if changes else None,
        ip=request.ip,
        user_agent=request.user_agent,
        request_id=request.request_id,
    )
    db.add(event)
    return event

"""Who may follow what, asked when they begin and again whenever their rights may have changed."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Session
from app.accounts.queries import find_session
from app.organizations.dependencies import find_scope, require_permission
from app.organizations.models import Organization
from app.organizations.security import require_policy
from app.realtime.topics import NoSuchTopic, Topic
from app.tokens.models import Credential


async def find_listener(db: AsyncSession, token: str | None) -> Session | None:
    """The live session of a connection's cookie."""
    return await find_session(db, token) if token else None


async def require_topics(db: AsyncSession, session: Session, topics: Sequence[Topic]) -> None:
    """Let a person follow topics. Raises NoSuchTopic, and what the policies of pages raise."""
    wanted: dict[UUID, set[str]] = defaultdict(set)
    for topic in topics:
        if topic.permissions:
            wanted[topic.id].update(topic.permissions)
        elif topic.id != session.user_id:
            raise NoSuchTopic
    for organization_id, permissions in wanted.items():
        await _require_permissions(db, session, organization_id, permissions)


async def _require_permissions(
    db: AsyncSession, session: Session, organization_id: UUID, permissions: set[str]
) -> None:
    # The user is named to row-level security, so that of organizations that are not theirs there is no slug to find.
    slug = await db.scalar(select(Organization.slug).where(Organization.id == organization_id))
    credential = Credential(session.user, session=session)
    scope = await find_scope(db, credential, slug, request_id="") if slug else None
    if scope is None:
        raise NoSuchTopic
    require_policy(scope)
    for permission in permissions:
        require_permission(scope, permission)

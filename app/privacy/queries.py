"""Copies of people's data, and what stands in the way of deleting an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, undefer

from app import clock
from app.accounts.models import User
from app.database import system_scope
from app.organizations.models import Membership, MembershipStatus, Organization
from app.policy import Role
from app.privacy.models import DataExport, ExportState


@dataclass(frozen=True)
class Consequences:
    """What deleting an account does to organizations. While one `blocks`, it cannot be deleted.

    `vanishing` have nobody else; the person only leaves the others, whose number is `left`.
    """

    blocking: Sequence[Organization]
    vanishing: Sequence[Organization]
    left: int


async def find_last_export(db: AsyncSession, user_id: UUID) -> DataExport | None:
    """The copy that a person asked for last, without its content."""
    statement = select(DataExport).where(DataExport.user_id == user_id)
    return await db.scalar(statement.order_by(DataExport.created_at.desc(), DataExport.id.desc()).limit(1))


async def find_download(db: AsyncSession, user_id: UUID, export_id: UUID) -> DataExport | None:
    """A person's own copy with its content, while it may be downloaded."""
    statement = select(DataExport).options(undefer(DataExport.content))
    return await db.scalar(
        statement.where(
            DataExport.id == export_id,
            DataExport.user_id == user_id,
            DataExport.state == ExportState.READY,
            DataExport.expires_at > clock.now(),
        )
    )


async def find_consequences(db: AsyncSession, user_id: UUID) -> Consequences:
    """What deleting a person does to their organizations. It counts other members, whom row-level security hides from them."""
    own, other, owner = aliased(Membership), aliased(Membership), aliased(Membership)
    has_others = exists().where(other.organization_id == own.organization_id, other.user_id != user_id)
    has_owner = exists().where(
        owner.organization_id == own.organization_id,
        owner.user_id != user_id,
        owner.role == Role.OWNER,
        owner.status == MembershipStatus.ACTIVE,
    )
    statement = (
        select(Organization, own.role, has_others.label("has_others"), has_owner.label("has_owner"))
        .join(own, own.organization_id == Organization.id)
        .where(own.user_id == user_id)
        .order_by(Organization.name)
    )
    async with system_scope(db):
        rows = (await db.execute(statement)).all()
    blocking = [row[0] for row in rows if row.role == Role.OWNER and row.has_others and not row.has_owner]
    vanishing = [row[0] for row in rows if not row.has_others]
    return Consequences(blocking, vanishing, len(rows) - len(blocking) - len(vanishing))


async def list_due(db: AsyncSession) -> Sequence[UUID]:
    """The people whose time to change their mind is over."""
    statement = select(User.id).where(User.status == "deleting", User.delete_at <= clock.now())
    return (await db.scalars(statement.order_by(User.delete_at))).all()

"""A few projects for the organization of the demonstration."""

from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.organizations.models import Membership, Scope
from app.projects.actions import ProjectValues, create_project
from app.projects.models import Project, ProjectStatus

# Name, description, status, and in how many days it is due, if it is.
PROJECTS = [
    ("New landing page", "Say in one sentence what the product does, and show it.", ProjectStatus.ACTIVE, 12),
    (
        "Invoices in three currencies",
        "Euros, pounds and dollars, with the rates of the day.",
        ProjectStatus.PLANNED,
        45,
    ),
    ("Move to the new office", "Desks, lines, and a kettle that everybody agrees on.", ProjectStatus.PAUSED, None),
    ("Interviews with ten customers", "What they tried before us, and what they miss.", ProjectStatus.ACTIVE, 5),
    ("Accessibility review", "Every page with a keyboard, a screen reader and at 400 %.", ProjectStatus.DONE, -8),
]


async def start_projects(db: AsyncSession, user: User, *, facts: RequestFacts) -> None:
    """Start them in the person's organization, unless any were started there before. Within `system_scope`."""
    statement = (
        select(Membership)
        .options(joinedload(Membership.organization))
        .where(
            Membership.user_id == user.id,
            Membership.organization_id == user.current_organization_id,
            ~exists().where(Project.organization_id == user.current_organization_id),
        )
    )
    membership = await db.scalar(statement)
    if membership is None:
        return
    scope = Scope(user, membership.organization, membership, request_id="")
    for name, description, status, days in PROJECTS:
        due_on = clock.now().date() + timedelta(days=days) if days is not None else None
        values = ProjectValues(name, description, status, user.id if days else None, due_on)
        await create_project(db, scope, values, facts=facts)

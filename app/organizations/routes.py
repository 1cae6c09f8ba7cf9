"""Pages below /o, where an organization's address is /o/{slug}, and what programs ask below /api/v1."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.queries import find_user
from app.accounts.routes import DEMO_EMAIL
from app.audit.models import RequestFacts
from app.features import NavigationItem
from app.language import N_
from app.organizations import api, handlers
from app.organizations.actions import create_personal_organization
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/o", handlers.home, name="organizations.home"),
    Route("/o", handlers.create_personal, methods=["POST"], name="organizations.create_personal"),
    Route("/o/{slug}", handlers.dashboard, name="organizations.dashboard"),
    Route("/o/{slug}/members", handlers.members, name="organizations.members"),
    Route("/o/{slug}/settings", handlers.settings, name="organizations.settings"),
    Route("/o/{slug}/settings", handlers.update, methods=["POST"], name="organizations.update"),
    Route("/api/v1/organizations", api.list_organizations, name="organizations.list_organizations"),
    Route("/api/v1/organizations/{slug}", api.show_organization, name="organizations.show_organization"),
    Route(
        "/api/v1/organizations/{slug}",
        api.update_organization,
        methods=["PATCH"],
        name="organizations.update_organization",
    ),
    Route("/api/v1/organizations/{slug}/members", api.list_members, name="organizations.list_members"),
]

navigation = [
    NavigationItem(N_("Dashboard"), "organizations.dashboard", "organization.view", icon="dashboard", position=10),
    NavigationItem(N_("Members"), "organizations.members", "members.view", icon="members", position=20),
    NavigationItem(N_("Settings"), "organizations.settings", "organization.update", icon="settings", position=90),
]


async def seed(db: AsyncSession) -> None:
    """The organization of the demonstration, once."""
    user = await find_user(db, DEMO_EMAIL)
    if user is not None:
        await create_personal_organization(db, user, name="Demo", facts=RequestFacts())

"""Pages below /o, where an organization's address is /o/{slug}, and what programs ask below /api/v1."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.queries import find_user
from app.accounts.routes import DEMO_EMAIL
from app.audit.models import RequestFacts
from app.features import NavigationItem
from app.images import LARGEST_UPLOAD
from app.language import N_
from app.organizations import (
    api,
    danger_handlers,
    handlers,
    logo_handlers,
    member_api,
    member_handlers,
    security_handlers,
    team_handlers,
)
from app.organizations.actions import create_personal_organization
from app.organizations.security import find_second_factor_demand
from app.policy import public
from core.routing import BaseRoute, Route

team_routes: list[BaseRoute] = [
    Route("/organizations/new", team_handlers.new, name="organizations.new"),
    Route("/organizations/new", team_handlers.create, methods=["POST"], name="organizations.create"),
    Route("/organizations/new/check", team_handlers.check_new, methods=["POST"], name="organizations.check_new"),
    Route("/organizations/slug", team_handlers.check_slug, methods=["POST"], name="organizations.check_slug"),
    Route("/organizations/{organization_id:uuid}/keep", team_handlers.ask_to_keep, name="organizations.ask_to_keep"),
    Route(
        "/organizations/{organization_id:uuid}/keep",
        team_handlers.keep,
        methods=["POST"],
        name="organizations.keep",
    ),
]

member_routes: list[BaseRoute] = [
    Route("/o/{slug}/members", member_handlers.members, name="organizations.members"),
    Route(
        "/o/{slug}/members/{user_id:uuid}/role",
        member_handlers.change_role,
        methods=["POST"],
        name="organizations.change_role",
    ),
    Route(
        "/o/{slug}/members/{user_id:uuid}/suspend",
        member_handlers.suspend,
        methods=["POST"],
        name="organizations.suspend",
    ),
    Route(
        "/o/{slug}/members/{user_id:uuid}/reactivate",
        member_handlers.reactivate,
        methods=["POST"],
        name="organizations.reactivate",
    ),
    Route("/o/{slug}/members/{user_id:uuid}/remove", member_handlers.ask_removal, name="organizations.ask_removal"),
    Route(
        "/o/{slug}/members/{user_id:uuid}/remove",
        member_handlers.remove,
        methods=["POST"],
        name="organizations.remove",
    ),
    Route("/o/{slug}/leave", member_handlers.ask_to_leave, name="organizations.ask_to_leave"),
    Route("/o/{slug}/leave", member_handlers.leave, methods=["POST"], name="organizations.leave"),
]

danger_routes: list[BaseRoute] = [
    Route("/o/{slug}/danger", danger_handlers.danger, name="organizations.danger"),
    Route("/o/{slug}/danger/offer", danger_handlers.offer, methods=["POST"], name="organizations.offer"),
    Route("/o/{slug}/danger/withdraw", danger_handlers.withdraw, methods=["POST"], name="organizations.withdraw"),
    Route("/o/{slug}/danger/delete", danger_handlers.close, methods=["POST"], name="organizations.close"),
    Route("/o/{slug}/ownership", danger_handlers.show_offer, name="organizations.show_offer"),
    Route("/o/{slug}/ownership", danger_handlers.accept, methods=["POST"], name="organizations.accept_offer"),
    Route("/o/{slug}/ownership/decline", danger_handlers.decline, methods=["POST"], name="organizations.decline_offer"),
    Route("/o/{slug}/security", security_handlers.show, name="organizations.security"),
    Route("/o/{slug}/security", security_handlers.update, methods=["POST"], name="organizations.update_security"),
    Route("/o/{slug}/second-factor", security_handlers.second_factor, name="organizations.second_factor"),
]

api_routes: list[BaseRoute] = [
    Route("/api/v1/organizations", api.list_organizations, name="organizations.list_organizations"),
    Route("/api/v1/organizations/{slug}", api.show_organization, name="organizations.show_organization"),
    Route(
        "/api/v1/organizations/{slug}",
        api.update_organization,
        methods=["PATCH"],
        name="organizations.update_organization",
    ),
    Route(
        "/api/v1/organizations/{slug}/logo",
        api.set_logo,
        methods=["PUT"],
        max_body_size=LARGEST_UPLOAD + 64 * 1024,
        name="organizations.set_logo",
    ),
    Route("/api/v1/organizations/{slug}/logo", api.delete_logo, methods=["DELETE"], name="organizations.delete_logo"),
    Route("/api/v1/organizations/{slug}/members", member_api.list_members, name="organizations.list_members"),
    Route(
        "/api/v1/organizations/{slug}/members/{user_id:uuid}",
        member_api.update_member,
        methods=["PATCH"],
        name="organizations.update_member",
    ),
    Route(
        "/api/v1/organizations/{slug}/members/{user_id:uuid}",
        member_api.remove_member,
        methods=["DELETE"],
        name="organizations.remove_member",
    ),
]

routes: list[BaseRoute] = [
    Route("/o", handlers.home, name="organizations.home"),
    Route("/o", handlers.create_personal, methods=["POST"], name="organizations.create_personal"),
    Route("/o/{slug}", handlers.dashboard, name="organizations.dashboard"),
    Route("/o/{slug}/settings", handlers.settings, name="organizations.settings"),
    Route("/o/{slug}/settings", handlers.update, methods=["POST"], name="organizations.update"),
    Route(
        "/o/{slug}/settings/defaults", handlers.update_defaults, methods=["POST"], name="organizations.update_defaults"
    ),
    Route(
        "/o/{slug}/settings/logo",
        logo_handlers.upload_logo,
        methods=["POST"],
        max_body_size=LARGEST_UPLOAD + 64 * 1024,
        name="organizations.upload_logo",
    ),
    Route(
        "/o/{slug}/settings/logo/remove", logo_handlers.remove_logo, methods=["POST"], name="organizations.remove_logo"
    ),
    public(Route("/logos/{organization_id:uuid}-{digest}", logo_handlers.logo, name="organizations.logo")),
    Route("/o/{slug}/settings/address", handlers.ask_move, name="organizations.ask_move"),
    Route("/o/{slug}/settings/address", handlers.move, methods=["POST"], name="organizations.move"),
    Route("/o/{slug}/settings/team", handlers.become_team, methods=["POST"], name="organizations.become_team"),
    *team_routes,
    *member_routes,
    *danger_routes,
    *api_routes,
]

navigation = [
    NavigationItem(N_("Dashboard"), "organizations.dashboard", "organization.view", icon="dashboard", position=10),
    NavigationItem(N_("Members"), "organizations.members", "members.view", icon="members", position=20),
    NavigationItem(N_("Security"), "organizations.security", "security.view", icon="shield", position=85),
    NavigationItem(N_("Settings"), "organizations.settings", "organization.update", icon="settings", position=90),
]

# Asked by whoever wants to give up their last second factor (`two_factor.demands`).
second_factor_demand = find_second_factor_demand


async def seed(db: AsyncSession) -> None:
    """The organization of the demonstration, once."""
    user = await find_user(db, DEMO_EMAIL)
    if user is not None:
        await create_personal_organization(db, user, name="Demo", facts=RequestFacts())

"""Pages about invitations below /o/{slug}, and those that people open who were sent one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.features import NavigationItem
from app.invitations import answer_handlers, api, door_api, door_handlers, handlers
from app.invitations.queries import count_invitations, find_shell
from app.language import N_, ngettext
from app.organizations.models import Scope
from app.policy import public
from core.requests import Request
from core.routing import BaseRoute, Route

BELOW = "/o/{slug}/invitations"

organization_routes: list[BaseRoute] = [
    Route(BELOW, handlers.list_invitations, name="invitations.list_invitations"),
    Route(f"{BELOW}/new", handlers.new, name="invitations.new"),
    Route(f"{BELOW}/new", handlers.invite, methods=["POST"], name="invitations.invite"),
    Route(f"{BELOW}/{{invitation_id:uuid}}/resend", handlers.resend, methods=["POST"], name="invitations.resend"),
    Route(f"{BELOW}/{{invitation_id:uuid}}/revoke", handlers.revoke, methods=["POST"], name="invitations.revoke"),
    Route(f"{BELOW}/links/new", door_handlers.new_link, name="invitations.new_link"),
    Route(f"{BELOW}/links/new", door_handlers.create_link, methods=["POST"], name="invitations.create_link"),
    Route(
        f"{BELOW}/links/{{link_id:uuid}}/revoke",
        door_handlers.revoke_link,
        methods=["POST"],
        name="invitations.revoke_link",
    ),
    Route(f"{BELOW}/domains/new", door_handlers.new_domain, name="invitations.new_domain"),
    Route(f"{BELOW}/domains/new", door_handlers.add_domain, methods=["POST"], name="invitations.add_domain"),
    Route(f"{BELOW}/domains/remove", door_handlers.remove_domain, methods=["POST"], name="invitations.remove_domain"),
    Route(
        f"{BELOW}/requests/{{user_id:uuid}}/grant",
        door_handlers.grant_request,
        methods=["POST"],
        name="invitations.grant_request",
    ),
    Route(
        f"{BELOW}/requests/{{user_id:uuid}}/refuse",
        door_handlers.refuse_request,
        methods=["POST"],
        name="invitations.refuse_request",
    ),
]

answer_routes: list[BaseRoute] = [
    Route("/organizations", answer_handlers.organizations, name="invitations.organizations"),
    Route(
        "/organizations/{organization_id:uuid}/join",
        answer_handlers.join_by_domain,
        methods=["POST"],
        name="invitations.join_by_domain",
    ),
    Route(
        "/organizations/invitations/{invitation_id:uuid}/accept",
        answer_handlers.accept_own,
        methods=["POST"],
        name="invitations.accept_own",
    ),
    Route(
        "/organizations/invitations/{invitation_id:uuid}/decline",
        answer_handlers.decline_own,
        methods=["POST"],
        name="invitations.decline_own",
    ),
    # Whoever holds the link may look at it; answering needs the person it is for.
    public(Route("/invitations/{token}", answer_handlers.show, name="invitations.show")),
    Route("/invitations/{token}/accept", answer_handlers.accept, methods=["POST"], name="invitations.accept"),
    Route("/invitations/{token}/decline", answer_handlers.decline, methods=["POST"], name="invitations.decline"),
    public(Route("/join/{code}", door_handlers.show_link, name="invitations.show_link")),
    Route("/join/{code}", door_handlers.join, methods=["POST"], name="invitations.join"),
]

api_routes: list[BaseRoute] = [
    Route(
        "/api/v1/organizations/{slug}/invitations",
        api.list_invitations,
        name="invitations.list_organization_invitations",
    ),
    Route(
        "/api/v1/organizations/{slug}/invitations",
        api.create_invitations,
        methods=["POST"],
        name="invitations.create_invitations",
    ),
    Route(
        "/api/v1/organizations/{slug}/invitations/{invitation_id:uuid}",
        api.revoke_invitation,
        methods=["DELETE"],
        name="invitations.revoke_invitation",
    ),
]

DOORS = "/api/v1/organizations/{slug}"

door_api_routes: list[BaseRoute] = [
    Route(f"{DOORS}/join-links", door_api.list_join_links, name="invitations.list_join_links"),
    Route(f"{DOORS}/join-links", door_api.create_join_link, methods=["POST"], name="invitations.create_join_link"),
    Route(
        f"{DOORS}/join-links/{{link_id:uuid}}",
        door_api.revoke_join_link,
        methods=["DELETE"],
        name="invitations.revoke_join_link",
    ),
    Route(f"{DOORS}/join-domains", door_api.list_join_domains, name="invitations.list_join_domains"),
    Route(f"{DOORS}/join-domains", door_api.add_join_domain, methods=["POST"], name="invitations.add_join_domain"),
    Route(
        f"{DOORS}/join-domains/{{domain}}",
        door_api.remove_join_domain,
        methods=["DELETE"],
        name="invitations.remove_join_domain",
    ),
]

routes: list[BaseRoute] = [*organization_routes, *answer_routes, *api_routes, *door_api_routes]

navigation = [
    NavigationItem(N_("Invitations"), "invitations.list_invitations", "invitations.view", icon="mail", position=25),
]


audit_sentences = {"join_requests.made": N_("%(who)s asked to join")}


async def fill_shell(request: Request, db: AsyncSession, user_id: UUID) -> None:
    """The switcher's organizations, how many invitations wait, and the bell, by one statement."""
    shell = await find_shell(db, user_id)
    request.state.organizations = shell.organizations
    request.state.pending_invitations = shell.pending_invitations
    request.state.unread_notifications, request.state.live_since = shell.unread_notifications, shell.live_since


async def count_contents(db: AsyncSession, scope: Scope) -> list[str]:
    """What goes with the organization when it is deleted."""
    count = await count_invitations(db, scope)
    if not count:
        return []
    text = ngettext("One unanswered invitation stops working.", "%(num)s unanswered invitations stop working.", count)
    return [text % {"num": count}]

"""Projects live below their organization, for people and for programs."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.queries import find_user
from app.accounts.routes import DEMO_EMAIL
from app.audit.models import RequestFacts
from app.features import Duties, NavigationItem
from app.language import N_, ngettext
from app.organizations.models import Scope
from app.projects import api, demonstration, file_handlers, handlers, import_api
from app.projects.actions import hand_over
from app.projects.csv_files import LARGEST_FILE
from app.projects.queries import PLACE, count_led, count_projects
from core.routing import BaseRoute, Route

UPLOAD = LARGEST_FILE + 64 * 1024  # Bytes: the file, and what a form puts around it.

audit_sentences = {
    "projects.created": N_("%(who)s started the project %(target)s"),
    "projects.changed": N_("%(who)s changed the project %(target)s"),
    "projects.deleted": N_("%(who)s deleted the project %(target)s"),
    "projects.restored": N_("%(who)s brought the project %(target)s back"),
    "projects.exported": N_("%(who)s exported the projects"),
    "projects.erased": N_("%(who)s erased projects that were deleted long ago"),
}

presence_places = {PLACE: "projects.view"}

page_routes: list[BaseRoute] = [
    Route("/o/{slug}/projects", handlers.projects, name="projects.projects"),
    Route("/o/{slug}/projects/new", handlers.new, name="projects.new"),
    Route("/o/{slug}/projects/new", handlers.create, methods=["POST"], name="projects.create"),
    Route("/o/{slug}/projects/status", handlers.change_status, methods=["POST"], name="projects.change_status"),
    Route("/o/{slug}/projects/deleted", handlers.deleted, name="projects.deleted"),
    Route("/o/{slug}/projects/{project_id:uuid}", handlers.project, name="projects.project"),
    Route("/o/{slug}/projects/{project_id:uuid}/edit", handlers.edit, name="projects.edit"),
    Route("/o/{slug}/projects/{project_id:uuid}/edit", handlers.change, methods=["POST"], name="projects.change"),
    Route("/o/{slug}/projects/{project_id:uuid}/delete", handlers.delete, methods=["POST"], name="projects.delete"),
    Route("/o/{slug}/projects/{project_id:uuid}/restore", handlers.restore, methods=["POST"], name="projects.restore"),
]

file_routes: list[BaseRoute] = [
    Route("/o/{slug}/projects/import", file_handlers.ask_file, name="projects.ask_file"),
    Route(
        "/o/{slug}/projects/import",
        file_handlers.check_file,
        methods=["POST"],
        max_body_size=UPLOAD,
        name="projects.check_file",
    ),
    Route(
        "/o/{slug}/projects/import/confirm",
        file_handlers.import_file,
        methods=["POST"],
        max_body_size=UPLOAD,
        name="projects.import_file",
    ),
    Route("/o/{slug}/projects.csv", file_handlers.export_file, name="projects.export_file"),
]

PROJECTS = "/api/v1/organizations/{slug}/projects"
PROJECT = f"{PROJECTS}/{{project_id:uuid}}"

api_routes: list[BaseRoute] = [
    Route(PROJECTS, api.list_projects, name="projects.list_projects"),
    Route(PROJECTS, api.create_project, methods=["POST"], name="projects.create_project"),
    Route(
        f"{PROJECTS}/imports",
        import_api.import_projects,
        methods=["POST"],
        max_body_size=2 * UPLOAD,  # JSON writes a line's end and a quotation mark as two signs.
        name="projects.import_projects",
    ),
    Route(PROJECT, api.show_project, name="projects.show_project"),
    Route(PROJECT, api.update_project, methods=["PATCH"], name="projects.update_project"),
    Route(PROJECT, api.delete_project, methods=["DELETE"], name="projects.delete_project"),
    Route(f"{PROJECT}/restore", api.restore_project, methods=["POST"], name="projects.restore_project"),
]

routes: list[BaseRoute] = [*page_routes, *file_routes, *api_routes]

navigation = [NavigationItem(N_("Projects"), "projects.projects", "projects.view", icon="projects", position=15)]


async def describe_duties(db: AsyncSession, scope: Scope, user_id: UUID) -> str:
    """What somebody else may take over from a member."""
    count = await count_led(db, scope, user_id)
    return ngettext("%(num)s project", "%(num)s projects", count) % {"num": count} if count else ""


duties = Duties(describe_duties, hand_over)


async def count_contents(db: AsyncSession, scope: Scope) -> list[str]:
    """What would go with the organization."""
    count = await count_projects(db, scope)
    return [ngettext("%(num)s project", "%(num)s projects", count) % {"num": count}] if count else []


async def seed(db: AsyncSession) -> None:
    """The projects of the demonstration, once."""
    user = await find_user(db, DEMO_EMAIL)
    if user is not None:
        await demonstration.start_projects(db, user, facts=RequestFacts())

"""The page /o/{slug}/files, what leads to a file's content, and what programs ask below /api/v1/organizations/{slug}/files."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.features import NavigationItem
from app.files import api, handlers
from app.files.queries import count_files
from app.files.receiving import LARGEST_BODY
from app.language import N_, ngettext
from app.organizations.models import Scope
from core.routing import BaseRoute, Route

PAGE = "/o/{slug}/files"
FILE = PAGE + "/{file_id:uuid}"
API = "/api/v1/organizations/{slug}/files"
API_FILE = API + "/{file_id:uuid}"

routes: list[BaseRoute] = [
    Route(PAGE, handlers.files, name="files.files"),
    Route(PAGE, handlers.upload, methods=["POST"], max_body_size=LARGEST_BODY, name="files.upload"),
    Route(PAGE + "/deleted/erase", handlers.ask_erasure, name="files.ask_erasure"),
    Route(PAGE + "/deleted/erase", handlers.erase, methods=["POST"], name="files.erase"),
    Route(FILE + "/download", handlers.download, name="files.download"),
    Route(FILE + "/view", handlers.view, name="files.view"),
    Route(FILE + "/content", handlers.content, name="files.content"),
    Route(FILE + "/delete", handlers.delete, methods=["POST"], name="files.delete"),
    Route(FILE + "/restore", handlers.restore, methods=["POST"], name="files.restore"),
    Route(API, api.list_files, name="files.list_files"),
    Route(API, api.upload_file, methods=["POST"], max_body_size=LARGEST_BODY, name="files.upload_file"),
    Route(API + "/deleted", api.erase_files, methods=["DELETE"], name="files.erase_files"),
    Route(API_FILE, api.show_file, name="files.show_file"),
    Route(API_FILE, api.delete_file, methods=["DELETE"], name="files.delete_file"),
    Route(API_FILE + "/download-link", api.link_file, name="files.link_file"),
    # What the link leads to: bytes, which the API's description has no words for.
    Route(API_FILE + "/content", handlers.content, name="files.fetch", include_in_schema=False),
    Route(API_FILE + "/restore", api.restore_file, methods=["POST"], name="files.restore_file"),
]

navigation = [NavigationItem(N_("Files"), "files.files", "files.view", icon="files", position=40)]

audit_sentences = {
    "files.uploaded": N_("%(who)s uploaded %(target)s"),
    "files.deleted": N_("%(who)s deleted the file %(target)s"),
    "files.erased": N_("%(who)s erased the deleted files for good"),
    "files.restored": N_("%(who)s brought the file %(target)s back"),
}


async def count_contents(db: AsyncSession, scope: Scope) -> list[str]:
    """What goes with an organization that is deleted."""
    count = await count_files(db, scope)
    return [ngettext("One file", "%(num)s files", count) % {"num": count}] if count else []

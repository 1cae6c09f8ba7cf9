"""Reading an upload: only once it is known who sends it, and never more of it than there is room for."""

from typing import Annotated

from app.accounts.limits import HOUR, EntryLimits, per_session
from app.config import CurrentSettings
from app.database import Db, name_organization, release_connection
from app.errors import Refusal
from app.files.actions import QuotaExceeded
from app.files.queries import used_bytes
from app.files.storage import StorageFails
from app.language import N_
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from core.datastructures import FormData, UploadFile
from core.exceptions import HTTPException
from core.middleware.body_limit import RESPONDER_SCOPE_KEY, ContentTooLarge
from core.middleware.csrf import require_csrf_token
from core.params import Depends
from core.requests import ClientDisconnect, Request

LARGEST_UPLOAD = 100 * 1024 * 1024  # Bytes of all files that are sent at once.
MOST_FILES = 10
MOST_FIELDS = 5
# What the form says around its files.
OVERHEAD = 64 * 1024
LARGEST_BODY = LARGEST_UPLOAD + OVERHEAD

UPLOAD = EntryLimits("files", pair=(600, HOUR), address=(600, HOUR), network=(3000, HOUR), everybody=(100_000, HOUR))


class UploadTooLarge(Refusal):
    """More than may be sent at once."""

    status_code = 413

    def __init__(self) -> None:
        super().__init__(N_("Send at most 100 MB at once."))


async def received_form(
    request: Request,
    _limit: Annotated[None, per_session(UPLOAD)],
    scope: Annotated[Scope, Allowed("files.upload")],
    db: Db,
    settings: CurrentSettings,
) -> FormData:
    """The form of an upload. Raises QuotaExceeded, UploadTooLarge and StorageFails while it is being sent.

    It may take minutes to come, so that nobody's connection to the database waits for it.
    """
    room = settings.files.quota - await used_bytes(db, scope)
    await release_connection(db)
    try:
        form = await _read(request, room)
    except OSError:
        raise StorageFails from None
    except ClientDisconnect:
        # Nobody is there to be answered, and a browser that was closed is no failure of ours.
        raise HTTPException(400) from None
    await require_csrf_token(request)
    await name_organization(db, scope.organization.id)
    return form


Received = Annotated[FormData, Depends(received_form)]


def uploads_in(form: FormData, name: str) -> list[UploadFile]:
    """The files of a field. A browser sends one without a name where none was chosen."""
    return [each for each in form.getlist(name) if isinstance(each, UploadFile) and each.filename]


async def _read(request: Request, room: int) -> FormData:
    """The limit of the route, lowered to what there is room for, holds while the body comes and before any of it does."""
    limit = min(max(room, 0) + OVERHEAD, LARGEST_BODY)
    try:
        request.scope[RESPONDER_SCOPE_KEY].change_limit(limit)
        return await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS)
    except ContentTooLarge:
        raise (UploadTooLarge() if limit == LARGEST_BODY else QuotaExceeded()) from None

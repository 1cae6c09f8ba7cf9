"""Giving an organization a logo, taking it back, and the logo itself."""

from typing import Annotated
from uuid import UUID

from app.accounts import limits
from app.accounts.limits import HOUR, EntryLimits
from app.audit.models import RequestFacts
from app.database import Db
from app.images import UnusableImage
from app.language import gettext as _
from app.organizations import logos
from app.organizations.dependencies import Allowed
from app.organizations.models import Scope
from app.pages import see
from app.pictures import CropForm, cut_out, picture_response
from app.templates import flash
from core.datastructures import UploadFile
from core.middleware.csrf import require_csrf_token
from core.params import File, Submitted
from core.requests import Request
from core.responses import Response

UPLOAD = EntryLimits("logo", pair=(20, HOUR), address=(20, HOUR), network=(100, HOUR), everybody=(3000, HOUR))

UpdatingScope = Annotated[Scope, Allowed("organization.update")]


async def upload_logo(
    request: Request,
    scope: UpdatingScope,
    db: Db,
    form: Submitted[CropForm],
    picture: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take a picture, cut a square out of it and keep that."""
    await require_csrf_token(request)  # `app.uploads` leaves this form to us, because it is larger than others may be.
    await limits.limit(request, UPLOAD, str(scope.organization.id))
    try:
        cut = await cut_out(picture, form.data.crop if form.is_valid else None)
    except UnusableImage as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        await logos.set_logo(db, scope, cut, facts=RequestFacts.of(request))
        flash(request, _("The logo is saved."))
    return see(request, "organizations.settings", slug=scope.organization.slug)


async def remove_logo(request: Request, scope: UpdatingScope, db: Db) -> Response:
    """Show the organization's initials again."""
    await logos.remove_logo(db, scope, facts=RequestFacts.of(request))
    flash(request, _("The logo is removed."))
    return see(request, "organizations.settings", slug=scope.organization.slug)


async def logo(db: Db, organization_id: UUID, digest: str) -> Response:
    """An organization's logo."""
    return picture_response(await logos.find_logo(db, organization_id, digest))

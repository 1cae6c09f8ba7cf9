"""The pages /account/profile and /account/activity, and people's pictures."""

from typing import Annotated
from uuid import UUID

from app.accounts import limits
from app.accounts.consents import accept_terms
from app.accounts.dependencies import CurrentSession, CurrentUser
from app.accounts.limits import HOUR, EntryLimits
from app.accounts.models import User
from app.accounts.whereabouts import device_name, place_name
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.database import Db
from app.images import UnusableImage
from app.language import gettext as _
from app.language import speak
from app.pages import path_of, see
from app.pagination import PageQuery, Pager, Position
from app.pictures import CropForm, cut_out, picture_response
from app.preferences import language_options
from app.profile import actions, queries
from app.profile.activity import sentence
from app.profile.forms import ProfileForm
from app.templates import flash, render
from app.time_zones import time_zones
from core.datastructures import UploadFile
from core.middleware.csrf import require_csrf_token
from core.params import File, Query, Submitted
from core.requests import Request
from core.responses import Response

UPLOAD = EntryLimits("avatar", pair=(20, HOUR), address=(20, HOUR), network=(100, HOUR), everybody=(3000, HOUR))


async def profile(request: Request, user: CurrentUser) -> Response:
    """Show what can be changed about a person."""
    form = Submitted.blank(ProfileForm, name=user.name, locale=user.locale, time_zone=user.time_zone, theme=user.theme)
    return _show(request, form)


async def update(request: Request, session: CurrentSession, db: Db, form: Submitted[ProfileForm]) -> Response:
    """Change name, language, time zone and theme."""
    if not form.is_valid:
        return _show(request, form)
    await actions.update_profile(db, session.user, facts=RequestFacts.of(request), **form.data.model_dump())
    if form.data.locale:
        speak(form.data.locale)
    flash(request, _("Your profile is saved."))
    return see(request, "profile.profile")


async def upload_avatar(
    request: Request,
    session: CurrentSession,
    db: Db,
    form: Submitted[CropForm],
    picture: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take a picture, cut a square out of it and keep that."""
    await require_csrf_token(request)  # `app.uploads` leaves this form to us, because it is larger than others may be.
    await limits.limit(request, UPLOAD, str(session.user_id))
    try:
        cut = await cut_out(picture, form.data.crop if form.is_valid else None)
    except UnusableImage as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        await actions.set_avatar(db, session.user, cut, facts=RequestFacts.of(request))
        flash(request, _("Your picture is saved."))
    return see(request, "profile.profile")


async def remove_avatar(request: Request, user: CurrentUser, db: Db) -> Response:
    """Show the person's initials again."""
    await actions.remove_avatar(db, user, facts=RequestFacts.of(request))
    flash(request, _("Your picture is removed."))
    return see(request, "profile.profile")


async def avatar(db: Db, user_id: UUID, digest: str) -> Response:
    """A person's picture."""
    return picture_response(await queries.find_avatar(db, user_id, digest))


async def activity(request: Request, user: CurrentUser, db: Db, page: Annotated[PageQuery, Query()]) -> Response:
    """Show what has happened in the account, newest first."""
    pager = Pager(request, page, f"activity:{user.id}")
    events = await queries.list_events(db, user.id, after=pager.after, limit=pager.limit)
    found = pager.page(events, lambda each: Position(each.created_at, each.id))
    rows = [
        {
            "sentence": sentence(event.action, event.target_label),
            "device": device_name(event.user_agent),
            "place": place_name(event.ip),
            "ip": event.ip,
            "at": event.created_at,
        }
        for event in found.rows
    ]
    return render(
        request, "profile/activity.html", events=rows, next_cursor=found.next_cursor, is_first=pager.after is None
    )


async def accept(request: Request, user: CurrentUser, db: Db) -> Response:
    """Note that the person accepts the terms as they are now."""
    facts = RequestFacts.of(request)
    await accept_terms(db, user, facts=facts)
    await record_by(db, "profile.terms_accepted", user, facts)
    flash(request, _("Thank you. You accepted the terms."))
    return see(request, "organizations.home")


def _show(request: Request, form: Submitted[ProfileForm]) -> Response:
    return render(request, "profile/profile.html", form=form, languages=language_options(), zones=time_zones())


def avatar_path(request: Request, user: User) -> str | None:
    """Where a person's picture is; None for those who have none."""
    if user.avatar_digest is None:
        return None
    return path_of(request, "profile.avatar", user_id=user.id, digest=user.avatar_digest)

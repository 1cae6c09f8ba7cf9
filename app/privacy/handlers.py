"""The pages /account/export and /account/delete."""

from typing import Annotated
from uuid import UUID

from app.accounts import limits, pending
from app.accounts.dependencies import ConfirmedSession, CurrentSession
from app.accounts.limits import HOUR, EntryLimits
from app.accounts.link_pages import keep_link, link_does_not_work
from app.accounts.links import LinkDoesNotWork
from app.accounts.sessions import delete_session_cookie
from app.audit.actions import record_by
from app.audit.models import RequestFacts
from app.config import CurrentSettings, Settings
from app.database import Db
from app.jobs.handlers import SECONDS_BETWEEN_LOOKS
from app.jobs.queries import find_progress
from app.language import gettext as _
from app.pages import UNTRACED, see
from app.privacy import actions, exporting, queries
from app.privacy.forms import DeletionForm, KeepForm
from app.privacy.models import ExportState
from app.templates import flash, render
from core.exceptions import HTTPException
from core.params import Query, Submitted
from core.requests import Request
from core.responses import Response

DAY = 24 * HOUR
EXPORT = EntryLimits("export", pair=(5, DAY), address=(5, DAY), network=(30, DAY), everybody=(2000, DAY))
KEEP_LINK = "keep"


async def export(request: Request, session: CurrentSession, db: Db) -> Response:
    """Show where the copy of the person's data is."""
    found = await queries.find_last_export(db, session.user_id)
    is_building = found is not None and found.state == ExportState.BUILDING
    return render(
        request,
        "privacy/export.html",
        export=found,
        progress=await find_progress(db, session.user_id, found.id) if found and is_building else None,
        reload_seconds=SECONDS_BETWEEN_LOOKS if is_building else None,
    )


async def request_export(request: Request, session: ConfirmedSession, db: Db) -> Response:
    """Have a copy of the person's data made."""
    await limits.limit(request, EXPORT, str(session.user_id))
    try:
        await exporting.request_export(db, session.user, facts=RequestFacts.of(request))
    except exporting.ExportIsBuilding as refusal:
        flash(request, _(refusal.message), "info")
    return see(request, "privacy.export")


async def download(request: Request, session: ConfirmedSession, db: Db, export_id: UUID) -> Response:
    """The copy itself."""
    found = await queries.find_download(db, session.user_id, export_id)
    if found is None:
        raise HTTPException(404)
    user = session.user
    facts = RequestFacts.of(request)
    await record_by(db, "privacy.export_downloaded", user, facts)
    headers = {
        "content-disposition": f'attachment; filename="data-{found.created_at:%Y-%m-%d}.zip"',
        "cache-control": "no-store",
    }
    return Response(found.content or b"", media_type="application/zip", headers=headers)


async def ask_deletion(request: Request, session: ConfirmedSession, db: Db) -> Response:
    """Say what deleting the account means, and what stands in its way."""
    return await _show(request, db, session, Submitted.blank(DeletionForm))


async def delete(
    request: Request, session: ConfirmedSession, db: Db, settings: CurrentSettings, form: Submitted[DeletionForm]
) -> Response:
    """Close the account, to be deleted after two weeks."""
    if form.is_valid:
        try:
            await actions.schedule_deletion(
                db, settings, session.user, typed=form.data.email, facts=RequestFacts.of(request)
            )
        except (actions.WrongConfirmation, actions.SoleOwner) as refusal:
            form.add_error("email", _(refusal.message))
        else:
            return _closed(request, settings)
    return await _show(request, db, session, form)


async def keep(request: Request, db: Db, settings: CurrentSettings, token: Annotated[str, Query()] = "") -> Response:
    """Show whose account a mailed link keeps."""
    if token:
        return keep_link(request, KEEP_LINK, token, "privacy.keep")
    held = pending.pending_link(request, KEEP_LINK)
    user = await actions.find_leaving(db, settings, held)
    if user is None:
        return link_does_not_work(request, KEEP_LINK)
    form = Submitted.blank(KeepForm, token=held)
    return render(request, "privacy/keep.html", headers=UNTRACED, form=form, address=user.email)


async def keep_account(request: Request, db: Db, settings: CurrentSettings, form: Submitted[KeepForm]) -> Response:
    """Take a deletion back."""
    await limits.limit(request, limits.LINK)
    token = form.data.token if form.is_valid else ""
    try:
        await actions.keep_account(db, settings, token=token, facts=RequestFacts.of(request))
    except LinkDoesNotWork:
        return link_does_not_work(request, KEEP_LINK)
    pending.forget_link(request, KEEP_LINK)
    flash(request, _("Your account stays. You can log in again."))
    return see(request, "accounts.log_in")


async def _show(request: Request, db: Db, session: CurrentSession, form: Submitted[DeletionForm]) -> Response:
    consequences = await queries.find_consequences(db, session.user_id)
    return render(request, "privacy/delete.html", form=form, consequences=consequences, days=actions.GRACE.days)


def _closed(request: Request, settings: Settings) -> Response:
    request.session.clear()
    flash(request, _("Your account is closed and will be deleted in 14 days. Log in before then to keep it."), "info")
    response = see(request, "accounts.log_in")
    delete_session_cookie(response, settings)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response

"""The staff's page of the queue."""

from app.audit.models import RequestFacts
from app.database import Db
from app.jobs import queries
from app.jobs.actions import WaitsAlready
from app.language import gettext as _
from app.pages import see
from app.staff import actions
from app.staff.dependencies import ConfirmedStaffSession, StaffSession
from app.staff.pages import render_staff
from app.templates import flash
from core.requests import Request
from core.responses import Response


async def home(request: Request, _session: StaffSession) -> Response:
    """Lead to the first of the staff's pages."""
    return see(request, "staff.jobs")


async def jobs(request: Request, _session: StaffSession, db: Db) -> Response:
    """Show what waits, runs and has died, and what is due by the clock."""
    return render_staff(
        request,
        "staff/jobs.html",
        queues=await queries.list_queues(db),
        dead_jobs=await queries.list_dead_jobs(db),
        schedules=await queries.list_schedules(db),
    )


async def job(request: Request, _session: StaffSession, db: Db, job_id: int) -> Response:
    """Show one dead job: what it was to do, and how it failed."""
    return render_staff(request, "staff/job.html", job=await queries.get_dead_job(db, job_id))


async def retry_job(request: Request, session: ConfirmedStaffSession, db: Db, job_id: int) -> Response:
    """Run a dead job again."""
    try:
        dead = await actions.retry_job(db, session.user, job_id, facts=RequestFacts.of(request))
    except WaitsAlready as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("%(name)s is back in the queue.") % {"name": dead.name})
    return see(request, "staff.jobs")


async def discard_job(request: Request, session: ConfirmedStaffSession, db: Db, job_id: int) -> Response:
    """Give a dead job up."""
    dead = await actions.discard_job(db, session.user, job_id, facts=RequestFacts.of(request))
    flash(request, _("%(name)s is discarded.") % {"name": dead.name})
    return see(request, "staff.jobs")

"""The staff's pages of e-mail. They show what was sent to whom, never its text: that may hold a link that logs somebody in."""

from typing import Annotated
from uuid import UUID

from app.audit.models import RequestFacts
from app.database import Db
from app.email import queries, suppressions
from app.email.actions import CannotBeSentAgain
from app.email.models import EmailStatus
from app.language import gettext as _
from app.pages import see
from app.staff import actions
from app.staff.dependencies import ConfirmedStaffSession, StaffSession
from app.staff.pages import render_staff
from app.templates import flash
from core.params import Query
from core.requests import Request
from core.responses import Response

To = Annotated[str, Query()]
Status = Annotated[str, Query()]
Search = Annotated[str, Query()]


async def mail(request: Request, _session: StaffSession, db: Db, to: To = "", status: Status = "") -> Response:
    """Show what was sent lately, to one address or in one state if that is asked for."""
    chosen = EmailStatus(status) if status in set(EmailStatus) else None
    return render_staff(
        request,
        "staff/mail.html",
        messages=await queries.list_messages(db, to_address=to.strip() or None, status=chosen, limit=100),
        counts=await queries.count_by_status(db),
        statuses=list(EmailStatus),
        status=chosen,
        to=to.strip(),
    )


async def message(request: Request, _session: StaffSession, db: Db, email_id: UUID) -> Response:
    """Show what became of one message."""
    return render_staff(request, "staff/message.html", message=await queries.get_message(db, email_id))


async def send_again(request: Request, session: ConfirmedStaffSession, db: Db, email_id: UUID) -> Response:
    """Deliver a message that was given up, or of which nobody knows whether it was sent."""
    try:
        await actions.send_again(db, session.user, email_id, facts=RequestFacts.of(request))
    except CannotBeSentAgain as refusal:
        flash(request, _(refusal.message), "danger")
    else:
        flash(request, _("The message is on its way again."))
    return see(request, "staff.message", email_id=email_id)


async def list_suppressions(request: Request, _session: StaffSession, db: Db, search: Search = "") -> Response:
    """Show to whom nothing is sent any more, and why."""
    found = await suppressions.list_suppressions(db, search=search.strip())
    return render_staff(request, "staff/suppressions.html", suppressions=found, search=search.strip())


async def release_address(request: Request, session: ConfirmedStaffSession, db: Db, suppression_id: UUID) -> Response:
    """Write to an address again."""
    address = await actions.release_address(db, session.user, suppression_id, facts=RequestFacts.of(request))
    flash(request, _("We write to %(address)s again.") % {"address": address})
    return see(request, "staff.suppressions")

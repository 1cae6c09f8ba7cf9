"""The addresses of the staff's pages."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.actions import create_staff
from app.accounts.queries import find_user
from app.accounts.routes import DEMO_PASSWORD
from app.features import AccountItem
from app.language import N_
from app.staff import job_handlers, lost_access_handlers, mail_handlers
from app.terms import TERMS_VERSION
from core.routing import BaseRoute, Route

DEMO_STAFF_EMAIL = "staff@example.com"

routes: list[BaseRoute] = [
    Route("/staff", job_handlers.home, name="staff.home"),
    Route("/staff/jobs", job_handlers.jobs, name="staff.jobs"),
    Route("/staff/jobs/{job_id:int}", job_handlers.job, name="staff.job"),
    Route("/staff/jobs/{job_id:int}/retry", job_handlers.retry_job, methods=["POST"], name="staff.retry_job"),
    Route("/staff/jobs/{job_id:int}/discard", job_handlers.discard_job, methods=["POST"], name="staff.discard_job"),
    Route("/staff/lost-access", lost_access_handlers.list_lost_access, name="staff.lost_access"),
    Route("/staff/mail", mail_handlers.mail, name="staff.mail"),
    Route("/staff/mail/suppressions", mail_handlers.list_suppressions, name="staff.suppressions"),
    Route(
        "/staff/mail/suppressions/{suppression_id:uuid}/release",
        mail_handlers.release_address,
        methods=["POST"],
        name="staff.release_address",
    ),
    Route("/staff/mail/{email_id:uuid}", mail_handlers.message, name="staff.message"),
    Route(
        "/staff/mail/{email_id:uuid}/send-again", mail_handlers.send_again, methods=["POST"], name="staff.send_again"
    ),
]

staff_navigation = [
    AccountItem(N_("Jobs"), "staff.jobs", "bolt", position=50),
    AccountItem(N_("E-mail"), "staff.mail", "mail", position=60),
    AccountItem(N_("Lost access"), "staff.lost_access", "key", position=40),
    AccountItem(N_("Suppressed addresses"), "staff.suppressions", "shield", position=61),
]


async def seed(db: AsyncSession) -> None:
    """Somebody of the demonstration's staff, once; the password is the demonstration's."""
    if await find_user(db, DEMO_STAFF_EMAIL) is None:
        user = await create_staff(db, name="Stella Rigger", email=DEMO_STAFF_EMAIL, password=DEMO_PASSWORD)
        user.terms_version = TERMS_VERSION

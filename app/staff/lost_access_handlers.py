"""The staff's page of people who lost every second factor: what runs by itself, for whoever is asked about it."""

from app.accounts.whereabouts import device_name, place_name
from app.database import Db
from app.staff.dependencies import StaffSession
from app.staff.pages import render_staff
from app.two_factor import lost_access
from core.requests import Request
from core.responses import Response

SHOWN = 100


async def list_lost_access(request: Request, _session: StaffSession, db: Db) -> Response:
    """Show who asked for their second factors to be removed lately, from where, and what became of it."""
    found = await lost_access.list_latest(db, limit=SHOWN)
    places = {each.id: f"{device_name(each.user_agent)}, {place_name(each.ip)}" for each in found}
    return render_staff(request, "staff/lost_access.html", requests=found, places=places)

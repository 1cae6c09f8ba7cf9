"""Who may see the pages of the staff. For everybody else there are none: a 404, as for any address that does not exist."""

from typing import Annotated

from app.accounts.dependencies import confirmed_session, current_session
from app.accounts.models import Session
from app.policy import Guard
from core.exceptions import HTTPException
from core.params import Depends


async def staff_session(session: Annotated[Session, Depends(current_session)]) -> Session:
    """The live session of a member of the staff."""
    if not session.user.is_staff:
        raise HTTPException(404)
    return session


async def confirmed_staff_session(
    _staff: Annotated[Session, Depends(staff_session)], session: Annotated[Session, Depends(confirmed_session)]
) -> Session:
    """The same, of somebody who proved lately who they are."""
    return session


StaffSession = Annotated[Session, Guard(staff_session, access="staff")]
ConfirmedStaffSession = Annotated[Session, Guard(confirmed_staff_session, access="staff, confirmed lately")]

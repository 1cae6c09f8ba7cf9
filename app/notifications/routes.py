"""The page /notifications, its settings, /api/v1/me/notifications, and the bell in the shell."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.features import AccountItem
from app.language import N_
from app.notifications import api, handlers
from app.notifications.queries import find_bell
from core.requests import Request
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/notifications", handlers.notifications, name="notifications.notifications"),
    Route("/notifications/read", handlers.mark_all_read, methods=["POST"], name="notifications.mark_all_read"),
    Route("/notifications/count", handlers.count, name="notifications.count"),
    Route(
        "/notifications/{notification_id:uuid}",
        handlers.open_notification,
        methods=["POST"],
        name="notifications.open_notification",
    ),
    Route("/account/notifications", handlers.preferences, name="notifications.preferences"),
    Route("/account/notifications", handlers.choose, methods=["POST"], name="notifications.choose"),
    Route("/api/v1/me/notifications", api.list_own, name="notifications.list_own"),
    Route("/api/v1/me/notifications/read", api.mark_all_read, methods=["POST"], name="notifications.mark_all_own_read"),
    Route(
        "/api/v1/me/notifications/{notification_id:uuid}/read",
        api.mark_read,
        methods=["POST"],
        name="notifications.mark_own_read",
    ),
]

account_navigation = [AccountItem(N_("Notifications"), "notifications.preferences", icon="bell", position=60)]


async def fill_shell(request: Request, db: AsyncSession, user_id: UUID) -> None:
    """The number at the bell, and from which event on the page has to listen, by one statement."""
    request.state.unread_notifications, request.state.live_since = await find_bell(db, user_id)

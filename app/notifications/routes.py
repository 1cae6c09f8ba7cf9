"""The page /notifications, its settings, and /api/v1/me/notifications. `invitations.queries.find_shell` fills the bell."""

from app.features import AccountItem
from app.language import N_
from app.notifications import api, handlers
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

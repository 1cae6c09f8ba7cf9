"""The addresses under which people look through their sessions and devices."""

from app.devices import api, handlers
from app.features import AccountItem
from app.language import N_
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/account/sessions", handlers.sessions, name="devices.sessions"),
    Route(
        "/account/sessions/{session_id:uuid}/end", handlers.end_session, methods=["POST"], name="devices.end_session"
    ),
    Route(
        "/account/sessions/end-others", handlers.end_other_sessions, methods=["POST"], name="devices.end_other_sessions"
    ),
    Route(
        "/account/devices/{device_id:uuid}/forget",
        handlers.forget_device,
        methods=["POST"],
        name="devices.forget_device",
    ),
    Route("/api/v1/me/sessions", api.list_sessions, name="devices.list_sessions"),
    Route(
        "/api/v1/me/sessions",
        api.end_other_sessions,
        methods=["DELETE"],
        name="devices.end_other_sessions_by_api",
    ),
    Route(
        "/api/v1/me/sessions/{session_id:uuid}", api.end_session, methods=["DELETE"], name="devices.end_session_by_api"
    ),
    Route("/api/v1/me/devices", api.list_trusted_devices, name="devices.list_trusted_devices"),
    Route(
        "/api/v1/me/devices/{device_id:uuid}",
        api.forget_device,
        methods=["DELETE"],
        name="devices.forget_device_by_api",
    ),
]

account_navigation = [AccountItem(N_("Sessions"), "devices.sessions", "screen", position=60)]

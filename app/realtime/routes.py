"""Where to listen: /ws and /events, and who is present."""

from app.realtime import api, handlers
from core.routing import BaseRoute, Route, WebSocketRoute

routes: list[BaseRoute] = [
    WebSocketRoute("/ws", handlers.converse, name="realtime.converse"),
    Route("/events", handlers.stream, name="realtime.stream", include_in_schema=False),
    Route("/api/v1/organizations/{slug}/presence", api.list_present, name="realtime.list_present"),
]

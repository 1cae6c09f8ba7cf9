"""The addresses of the API's description (what it describes are the routes of the features themselves), and of GraphQL."""

from app.api import handlers
from app.policy import public
from core.routing import BaseRoute, Route, WebSocketRoute

routes: list[BaseRoute] = [
    public(
        Route("/api/v1/openapi.json", handlers.show_document, name="api.show_document", include_in_schema=False),
    ),
    public(Route("/api/docs", handlers.show_reference, name="api.show_reference")),
    Route("/api/docs/try/{operation_id}", handlers.try_operation, name="api.try_operation"),
    Route("/graphql", handlers.explore_graphql, name="api.explore_graphql", include_in_schema=False),
    WebSocketRoute("/graphql", handlers.follow_graphql, name="api.follow_graphql"),
    Route("/graphql", handlers.execute_graphql, methods=["POST"], name="api.execute_graphql", include_in_schema=False),
]

"""Roles live below their organization."""

from app.features import NavigationItem
from app.language import N_
from app.roles import api, handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/o/{slug}/roles", handlers.roles, name="roles.roles"),
    Route("/o/{slug}/roles/new", handlers.new, name="roles.new"),
    Route("/o/{slug}/roles/new", handlers.create, methods=["POST"], name="roles.create"),
    Route("/o/{slug}/roles/{key}", handlers.edit, name="roles.edit"),
    Route("/o/{slug}/roles/{key}", handlers.update, methods=["POST"], name="roles.update"),
    Route("/o/{slug}/roles/{key}/delete", handlers.ask_deletion, name="roles.ask_deletion"),
    Route("/o/{slug}/roles/{key}/delete", handlers.delete, methods=["POST"], name="roles.delete"),
    Route("/api/v1/organizations/{slug}/roles", api.list_roles, name="roles.list_roles"),
]

navigation = [NavigationItem(N_("Roles"), "roles.roles", "roles.view", icon="key", position=25)]

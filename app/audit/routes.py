"""The audit log lives below its organization."""

from app.audit import api, handlers
from app.features import NavigationItem
from app.language import N_
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    Route("/o/{slug}/audit", handlers.events, name="audit.events"),
    Route("/o/{slug}/audit/export", handlers.export, name="audit.export"),
    Route("/o/{slug}/audit/{event_id:uuid}", handlers.event, name="audit.event"),
    Route("/api/v1/organizations/{slug}/audit-events", api.list_audit_events, name="audit.list_audit_events"),
]

navigation = [NavigationItem(N_("Audit log"), "audit.events", "audit.view", icon="audit", position=88)]

"""The two pages."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from benchmarks.pages.on_django.models import AuditEvent, Email, Membership, Organization
from benchmarks.pages.on_django.shell import permissions_of

RECENT_EVENTS = 8
LIMIT = 50


def member_with(permission: str) -> Callable[..., Any]:
    """Let members in whose role has the permission."""

    def decorator(view: Any) -> Any:
        @wraps(view)
        def guarded(request: Any, slug: str) -> HttpResponse:
            if not request.user:
                return HttpResponse(status=401)
            organization = get_object_or_404(Organization, slug=slug, status="active")
            memberships = Membership.objects.select_related("custom_role")
            request.membership = get_object_or_404(
                memberships, organization=organization, user=request.user, status="active"
            )
            _require_policy(request, organization)
            if permission not in permissions_of(request.membership):
                raise PermissionDenied
            return view(request, organization)

        return never_cache(require_safe(guarded))

    return decorator


@member_with("organization.view")
def dashboard(request: Any, organization: Organization) -> HttpResponse:
    events = None
    if "audit.view" in permissions_of(request.membership):
        events = AuditEvent.objects.filter(organization_id=organization.id)[:RECENT_EVENTS]
    context = {"organization": organization, "membership": request.membership, "events": events}
    return render(request, "dashboard.html", context)


@member_with("members.view")
def list_members(request: Any, organization: Organization) -> HttpResponse:
    primary = Prefetch("user__emails", Email.objects.filter(is_primary=True), to_attr="primary_emails")
    members = organization.memberships.select_related("user", "custom_role").prefetch_related(primary)
    page = members.order_by("joined_at", "user_id")[: LIMIT + 1]
    return JsonResponse({"items": [_member(each) for each in page[:LIMIT]], "next_cursor": None})


def _member(membership: Membership) -> dict[str, Any]:
    emails = membership.user.primary_emails
    return {
        "user_id": membership.user_id,
        "name": membership.user.name,
        "email": emails[0].address if emails else "",
        "role": membership.custom_role.key if membership.custom_role else membership.role,
        "status": membership.status,
        "joined_at": membership.joined_at,
    }


def _require_policy(request: Any, organization: Organization) -> None:
    if organization.demands_second_factor and request.user.second_factor_at is None:
        raise PermissionDenied
    hours = organization.session_hours
    if hours is not None and timezone.now() - request.login.authenticated_at >= timedelta(hours=hours):
        raise PermissionDenied


def not_here(request: Any, **parameters: str) -> HttpResponse:
    """The pages that nobody asks for here; the dashboard links to them."""
    return HttpResponse(status=404)

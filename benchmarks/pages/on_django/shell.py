"""What the frame around every page shows."""

import os
from types import SimpleNamespace
from typing import Any

from django.db.models import Max
from django.db.models.functions import Lower
from django.utils import timezone

from benchmarks.pages.addresses import NAVIGATION, PERMISSIONS
from benchmarks.pages.on_django.models import Email, Invitation, Membership, Organization, RealtimeEvent

PRODUCT = SimpleNamespace(name="Slipway", support_email="hello@localhost")
THEMES = [("system", "System", "screen"), ("light", "Light", "sun"), ("dark", "Dark", "moon")]


def permissions_of(membership: Membership) -> frozenset[str]:
    role = membership.custom_role
    return frozenset(role.permissions) if role else PERMISSIONS[membership.role]


def shell(request: Any) -> dict[str, Any]:
    user, permissions = request.user, permissions_of(request.membership)
    addresses = Email.objects.filter(user=user, verified_at__isnull=False)
    own = [address.lower() for address in addresses.values_list("address", flat=True)]
    return {
        "user": user,
        "email": Email.objects.filter(user=user, is_primary=True).first(),
        "product": PRODUCT,
        "themes": THEMES,
        "terms_version": os.environ["TERMS_VERSION"],
        "organizations": Organization.objects.filter(
            memberships__user=user, memberships__status="active", status="active"
        ).order_by(Lower("name"))[:50],
        "pending_invitations": Invitation.objects.alias(folded=Lower("address"))
        .filter(folded__in=own, accepted_at=None, declined_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .count(),
        "unread": user.notifications.filter(read_at=None).count(),
        "live_since": RealtimeEvent.objects.aggregate(newest=Max("id"))["newest"] or 0,
        "navigation": [entry for entry in NAVIGATION if entry[3] in permissions],
    }

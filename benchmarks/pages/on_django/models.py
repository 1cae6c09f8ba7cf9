"""The tables that the pages read."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Table(models.Model):
    class Meta:
        abstract = True
        managed = False
        app_label = "on_django"


class User(Table):
    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    status = models.TextField()
    is_staff = models.BooleanField()
    locale = models.TextField(null=True)
    time_zone = models.TextField(null=True)
    theme = models.TextField()
    terms_version = models.TextField(null=True)
    avatar_digest = models.TextField(null=True)
    second_factor_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "users"


class Email(Table):
    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, models.DO_NOTHING, related_name="emails")
    address = models.TextField()
    is_primary = models.BooleanField()
    verified_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "emails"


class Session(Table):
    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, models.DO_NOTHING)
    token_hash = models.BinaryField()
    expires_at = models.DateTimeField()
    idle_expires_at = models.DateTimeField()
    authenticated_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "sessions"


class Organization(Table):
    id = models.UUIDField(primary_key=True)
    slug = models.TextField()
    name = models.TextField()
    kind = models.TextField()
    status = models.TextField()
    second_factor_from = models.DateTimeField(null=True)
    session_hours = models.IntegerField(null=True)

    class Meta(Table.Meta):
        db_table = "organizations"

    @property
    def demands_second_factor(self) -> bool:
        return self.second_factor_from is not None and self.second_factor_from <= timezone.now()


class CustomRole(Table):
    id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, models.DO_NOTHING)
    key = models.TextField()
    name = models.TextField()

    class Meta(Table.Meta):
        db_table = "roles"


class Membership(Table):
    pk = models.CompositePrimaryKey("organization_id", "user_id")
    organization = models.ForeignKey(Organization, models.DO_NOTHING, related_name="memberships")
    user = models.ForeignKey(User, models.DO_NOTHING, related_name="memberships")
    custom_role = models.ForeignKey(CustomRole, models.DO_NOTHING, null=True)
    role = models.TextField()
    status = models.TextField()
    joined_at = models.DateTimeField()

    class Meta(Table.Meta):
        db_table = "memberships"


class Invitation(Table):
    id = models.UUIDField(primary_key=True)
    address = models.TextField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "invitations"


class Notification(Table):
    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, models.DO_NOTHING, related_name="notifications")
    read_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "notifications"


class RealtimeEvent(Table):
    id = models.BigIntegerField(primary_key=True)

    class Meta(Table.Meta):
        db_table = "realtime_events"


class AuditEvent(Table):
    id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField(null=True)
    action = models.TextField()
    actor_label = models.TextField(null=True)
    target_label = models.TextField(null=True)
    changes = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta(Table.Meta):
        db_table = "audit_events"
        ordering: ClassVar = ["-created_at", "-id"]

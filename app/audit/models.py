"""The audit trail."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Identified, Timestamped
from core.middleware.requestid import request_id
from core.requests import HTTPConnection

LONGEST_USER_AGENT = 300


@dataclass(frozen=True)
class RequestFacts:
    """Where a request came from, as the audit trail keeps it, and the token by which a program sent it, if one did."""

    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    token_id: UUID | None = None
    token_name: str | None = None

    @classmethod
    def of(cls, request: HTTPConnection) -> "RequestFacts":
        """The facts of `request`. A user agent is whatever the client says, so it is cut and freed of control characters."""
        said = request.headers.get("user-agent", "")[:LONGEST_USER_AGENT]
        token = getattr(request.state, "token", None)
        return cls(
            ip=request.client.host if request.client else None,
            user_agent="".join(character for character in said if character.isprintable()) or None,
            request_id=request_id(request) or None,
            token_id=token.id if token else None,
            token_name=token.name if token else None,
        )


class AuditEvent(Identified, Timestamped, Base):
    """One thing that happened. Labels are copied, so that it still makes sense when what it names is gone.

    There are no foreign keys for the same reason. Triggers refuse UPDATE, TRUNCATE, and DELETE of all that is not old
    (`app.audit.retention`).
    """

    __tablename__ = "audit_events"

    organization_id: Mapped[UUID | None]
    action: Mapped[str]
    actor_type: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_label: Mapped[str | None]
    # The person for whom a token acted.
    on_behalf_of: Mapped[UUID | None]
    target_type: Mapped[str | None]
    target_id: Mapped[UUID | None]
    target_label: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    request_id: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("actor_type IN ('user', 'token', 'system', 'support')", name="actor_type"),
        CheckConstraint("(actor_type = 'system') = (actor_id IS NULL)", name="actor_id"),
        CheckConstraint("(target_type IS NULL) = (target_id IS NULL)", name="target"),
        Index(None, "organization_id", "created_at"),
        Index(None, "created_at"),
        Index(None, "actor_id", "created_at"),
        Index(None, "on_behalf_of", "created_at", postgresql_where=text("on_behalf_of IS NOT NULL")),
        Index(None, "target_type", "target_id", "created_at"),
        {"info": {"privileges": ("SELECT", "INSERT")}},
    )

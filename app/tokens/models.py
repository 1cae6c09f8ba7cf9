"""Tokens, and by what a request says for whom it acts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import clock
from app.accounts.models import Session, User
from app.database import Base, Identified, Timestamped
from app.tokens import scopes
from app.tokens.spelling import PREFIX

LONGEST_NAME = 60


class PersonalToken(Identified, Timestamped, Base):
    """What a person gave to a program, so that it acts for them. The token itself is kept as a hash only."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {LONGEST_NAME}", name="name_length"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    # The last characters, which belong to the checksum: enough to recognize a token by, worth nothing to a thief.
    ending: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    last_used_ip: Mapped[str | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")

    @property
    def shown(self) -> str:
        """What people may see of it after the first time."""
        return f"{PREFIX}…{self.ending}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= clock.now()

    def has_scope(self, needed: str) -> bool:
        return scopes.covers(self.scopes, needed)

    def __repr__(self) -> str:
        return f"PersonalToken(id={self.id}, user_id={self.user_id})"


@dataclass(frozen=True)
class Credential:
    """For whom a request acts, and by what it showed that: a browser's session, or a program's token."""

    user: User
    session: Session | None = None
    token: PersonalToken | None = None

    def has_scope(self, needed: str | None) -> bool:
        """A session may do all that its person may; a token what its scopes name of it, and nothing that has none."""
        return self.token is None or (needed is not None and self.token.has_scope(needed))

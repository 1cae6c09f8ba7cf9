"""Who is looking at what of an organization."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Tenant


class Presence(Tenant, Base):
    """That a person has an organization open in a browser that one of our processes serves.

    `place` says where in it ("project:<id>"); it is empty for no place in particular. The process renews its rows while it
    runs, so that those of one that died soon count for nothing. The table is UNLOGGED: after a crash of the database nobody
    is there for a moment.
    """

    __tablename__ = "realtime_presence"
    __table_args__ = ({"prefixes": ["UNLOGGED"], "info": {"unrecorded": "Who has a page open changes by the minute."}},)

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, sort_order=-3
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True, sort_order=-2
    )
    process_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)
    seen_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(primary_key=True, server_default="", sort_order=1)

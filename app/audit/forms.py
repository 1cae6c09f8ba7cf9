"""Which events of an audit trail somebody asks for."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.audit.queries import EventFilter
from app.forms import Day, Line, OrEmpty
from app.pagination import PageQuery
from app.time_zones import zone

LONGEST_WORD = 100


class Through(StrEnum):
    """By what somebody acted."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - a word, not a password.
    JOB = "job"
    STAFF = "staff"


ACTOR_TYPES = {Through.PAGE: "user", Through.TOKEN: "token", Through.JOB: "system", Through.STAFF: "support"}


Word = Annotated[Line, Field(max_length=LONGEST_WORD)]


class EventWish(BaseModel):
    """What the events must have in common; whatever is empty is not asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Annotated[Word, Field(description="A part of the name of who acted.")] = ""
    action: Annotated[
        Word, Field(description="What happened, such as `members.removed`; or an area, such as `members`.")
    ] = ""
    target: Annotated[Word, Field(description="A part of the name of what it happened to.")] = ""
    since: Annotated[OrEmpty[Day], Field(description="The first day, in the time zone of who asks.")] = None
    until: Annotated[OrEmpty[Day], Field(description="The last day, in the time zone of who asks.")] = None
    through: Annotated[OrEmpty[Through], Field(description="By what somebody acted.")] = None

    @property
    def filter(self) -> EventFilter:
        return EventFilter(
            who=self.who.strip() or None,
            action=self.action.strip() or None,
            target=self.target.strip() or None,
            since=_beginning(self.since) if self.since and self.since > date.min else None,
            before=_beginning(self.until + timedelta(days=1)) if self.until and self.until < date.max else None,
            actor_type=ACTOR_TYPES[self.through] if self.through else None,
        )

    @property
    def words(self) -> dict[str, str]:
        """The wish as an address has it, without what is not asked for."""
        found = {name: getattr(self, name) for name in EventWish.model_fields}
        return {name: str(value) for name, value in found.items() if value}


class EventQuery(EventWish, PageQuery):
    """Which events, and which part of them."""


def _beginning(day: date) -> datetime:
    """When a day begins for the person who asks."""
    return datetime.combine(day, time.min, tzinfo=zone())

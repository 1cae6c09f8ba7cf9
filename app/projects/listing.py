"""Which projects somebody asks for, and in which order: for the list, the file, the API and GraphQL alike."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import InstrumentedAttribute

from app.forms import Line, OrEmpty
from app.pagination import PageQuery
from app.projects.models import Project, ProjectStatus

LONGEST_SEARCH = 100


class ProjectOrder(StrEnum):
    """The orders that the list can have. A minus turns one around."""

    NEWEST = "-created"
    OLDEST = "created"
    NAME = "name"
    NAME_BACKWARDS = "-name"
    DUE = "due"
    DUE_BACKWARDS = "-due"
    STATUS = "status"
    STATUS_BACKWARDS = "-status"

    @property
    def column(self) -> str:
        return self.value.removeprefix("-")

    @property
    def is_backwards(self) -> bool:
        return self.value.startswith("-")


# Each is a column with an index of its own.
ORDERS: dict[str, InstrumentedAttribute[Any]] = {  # Any: a time, a text, a day or a number.
    "created": Project.created_at,
    "name": Project.name_key,
    "due": Project.due_key,
    "status": Project.status_rank,
}


@dataclass(frozen=True)
class ProjectFilter:
    """Which projects are asked for; empty values ask for all."""

    search: str | None = None
    status: str | None = None
    lead_id: UUID | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.search or self.status or self.lead_id)


EVERY = ProjectFilter()


class ProjectQuery(PageQuery):
    """Which projects, in which order, and which part of them somebody asks for: the query of an address."""

    search: Annotated[Line, Field(max_length=LONGEST_SEARCH, description="A part of the name or description.")] = ""
    status: Annotated[OrEmpty[ProjectStatus], Field(description="Only those that are this far.")] = None
    lead: Annotated[OrEmpty[UUID], Field(description="Only those that this member answers for.")] = None
    sort: ProjectOrder = ProjectOrder.NEWEST

    @property
    def filter(self) -> ProjectFilter:
        return ProjectFilter(self.search.strip() or None, self.status, self.lead)

    def as_query(self, **instead: str | None) -> str:
        """The query of the same list's address, at its beginning unless `instead` names a cursor."""
        sort = None if self.sort == ProjectOrder.NEWEST else self.sort
        asked = {"search": self.search.strip(), "status": self.status, "lead": self.lead, "sort": sort, **instead}
        return urlencode({name: str(value) for name, value in asked.items() if value})


def list_name(organization_id: UUID, query: ProjectQuery) -> str:
    """What cursors are signed for: this organization's list, with this filter, in this order. They are good for no other."""
    return f"projects:{organization_id}:{query.as_query()}"

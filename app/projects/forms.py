"""What people and programs may submit about projects."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.forms import LINE_PATTERN, Day, Form, JsonBody, Line, Text
from app.language import N_
from app.projects.actions import ProjectValues
from app.projects.models import LONGEST_DESCRIPTION, LONGEST_NAME, Project, ProjectStatus

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
MOST_AT_ONCE = 100


def _likely_day(value: date) -> date:
    if not FIRST_DAY <= value <= LAST_DAY:
        raise PydanticCustomError("day", N_("Enter a day between 1900 and 2199."))
    return value


Name = Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
Description = Annotated[Text, Field(max_length=LONGEST_DESCRIPTION)]
DueDay = Annotated[
    Day,
    AfterValidator(_likely_day),
    Field(json_schema_extra={"pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"}),
]


class ProjectForm(Form):
    name: Name
    description: Description = ""
    status: ProjectStatus = ProjectStatus.PLANNED
    lead_id: UUID | None = None
    due_on: DueDay | None = None

    @property
    def as_values(self) -> ProjectValues:
        return ProjectValues(self.name, self.description, self.status, self.lead_id, self.due_on)


class ChangeForm(ProjectForm):
    """`version` is the one that the person saw when the form was shown to them."""

    version: int


class StatusForm(Form):
    """A status for several projects at once."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]
    status: ProjectStatus


class NewProject(JsonBody):
    """A project to be started."""

    name: Annotated[Name, Field(json_schema_extra={"pattern": LINE_PATTERN}, examples=["New website"])]
    description: Description = ""
    status: Annotated[ProjectStatus, Field(strict=False)] = ProjectStatus.PLANNED
    lead_id: Annotated[UUID | None, Field(strict=False, description="An active member of the organization.")] = None
    due_on: Annotated[DueDay | None, Field(strict=False, examples=["2030-12-31"])] = None

    @property
    def as_values(self) -> ProjectValues:
        return ProjectValues(self.name, self.description, self.status, self.lead_id, self.due_on)


class ProjectChanges(JsonBody):
    """What can be changed about a project. What is left out stays; null takes the lead or the day away."""

    name: Annotated[Name, Field(json_schema_extra={"pattern": LINE_PATTERN}, examples=["New website"])] = Field(
        default_factory=str  # Not a default of the schema, which would contradict its minimum length.
    )
    description: Description = ""
    status: Annotated[ProjectStatus, Field(strict=False)] = ProjectStatus.PLANNED
    lead_id: Annotated[UUID | None, Field(strict=False, description="An active member of the organization.")] = None
    due_on: Annotated[DueDay | None, Field(strict=False, examples=["2030-12-31"])] = None

    def values_for(self, project: Project) -> ProjectValues:
        """What the project is to be, with what was left out as it is."""
        given = self.model_dump(include=self.model_fields_set)
        return ProjectValues(**{**vars(ProjectValues.of(project)), **given})

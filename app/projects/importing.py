"""Importing projects from a file: read and checked as a whole, shown line by line, and written (`import_work`) only then.

Nothing is kept between the two steps: the page that shows what would happen carries the file's text, and importing reads and
checks that again. So it does not matter that somebody could change it on the way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.language import N_
from app.language import gettext as _
from app.organizations.models import Scope
from app.projects import queries
from app.projects.actions import ProjectValues
from app.projects.csv_files import Row, Table, UnreadableFile, read_table
from app.projects.forms import ProjectForm
from app.projects.models import ProjectStatus
from app.projects.status_names import status_name

# The columns of the file, imported and exported. `lead` is a member's e-mail address.
COLUMNS = ("name", "description", "status", "lead", "due_on")


@dataclass(frozen=True)
class CheckedLine:
    """A line of the file: the project that it would become, or what is wrong with it, in the reader's language."""

    line: int
    cells: Mapping[str, str]
    values: ProjectValues | None
    errors: Sequence[str] = ()


@dataclass(frozen=True)
class Review:
    """What importing a file would do."""

    table: Table
    lines: Sequence[CheckedLine]

    @property
    def faulty(self) -> list[CheckedLine]:
        return [line for line in self.lines if line.errors]

    @property
    def ready(self) -> list[ProjectValues]:
        return [line.values for line in self.lines if line.values is not None and not line.errors]

    @property
    def can_be_imported(self) -> bool:
        return bool(self.ready) and not self.faulty

    @property
    def ignored_columns(self) -> list[str]:
        return [name for name in self.table.columns if name and name not in COLUMNS]


async def review(db: AsyncSession, scope: Scope, text: str, encoding: str = "utf-8") -> Review:
    """Check every line of a file, by three statements however long it is. Raises UnreadableFile. Writes nothing."""
    table = read_table(text, encoding)
    if "name" not in table.columns:
        raise UnreadableFile(N_("The file has no column “name”. Its first line names the columns."))
    leads = await queries.find_leads_by_address(db, scope, _column(table, "lead"))
    names = _column(table, "name")
    taken = await queries.find_taken_names(db, scope, names)
    counted = Counter(name.lower() for name in names)
    lines = [_check(row, leads) for row in table.rows]
    return Review(table, [_with_name_checked(line, taken, counted) for line in lines])


def _check(row: Row, leads: Mapping[str, UUID]) -> CheckedLine:
    """The same rules as the form's, so that a file gets nothing in that a person could not type."""
    errors: list[str] = []
    address = row.cells.get("lead", "").lower()
    if address and address not in leads:
        errors.append(_("lead: no active member has the address %(address)s.") % {"address": address})
    typed = {name: row.cells[name] for name in ("name", "description", "due_on") if row.cells.get(name)}
    status = row.cells.get("status")
    if status:
        typed["status"] = _status_called(status)
    try:
        form = ProjectForm.model_validate({**typed, "lead_id": leads.get(address)})
    except ValidationError as error:
        errors += [f"{each['loc'][0]}: {ProjectForm.describe_error(each)}" for each in error.errors(include_url=False)]
        return CheckedLine(row.line, row.cells, None, errors)
    return CheckedLine(row.line, row.cells, form.as_values, errors)


def _with_name_checked(line: CheckedLine, taken: set[str], counted: Mapping[str, int]) -> CheckedLine:
    name = line.cells.get("name", "").lower()
    errors = list(line.errors)
    if name in taken:
        errors.append(_("name: a project has this name already."))
    if name and counted[name] > 1:
        errors.append(_("name: another line has the same name."))
    return replace(line, errors=errors)


def _column(table: Table, name: str) -> list[str]:
    return [row.cells[name] for row in table.rows if row.cells.get(name)]


def _status_called(text: str) -> str:
    """The status of this name, in our words or in the reader's; the text itself if there is none."""
    wanted = text.strip().lower()
    return next((each.value for each in ProjectStatus if wanted in (each, status_name(each).lower())), text)

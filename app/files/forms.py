"""What people and programs may ask about files."""

from typing import Annotated, Literal

from pydantic import Field

from app.files.queries import FileFilter
from app.forms import Line
from app.pagination import PageQuery

LONGEST_SEARCH = 100


class FileQuery(PageQuery):
    """Which part of which list is asked for."""

    search: Annotated[Line, Field(max_length=LONGEST_SEARCH, description="A part of the name.")] = ""
    state: Annotated[Literal["kept", "deleted"], Field(description="Deleted files are listed for a week.")] = "kept"

    @property
    def filter(self) -> FileFilter:
        return FileFilter(self.search.strip(), is_deleted=self.state == "deleted")

    @property
    def list_name(self) -> str:
        return f"{self.state}:{self.search.strip()}"

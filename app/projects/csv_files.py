"""Reading tables as spreadsheets write them (RFC 4180, more or less)."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.errors import Refusal
from app.language import N_
from app.language import gettext as _
from app.spreadsheets import FORMULA_MARKS

LARGEST_FILE = 512 * 1024  # Bytes.
MOST_ROWS = 1000
DELIMITERS = ",;\t|"
NO_TEXT = N_("This is not a text file. Save the table as CSV and try again.")
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class UnreadableFile(Refusal):
    """The file is no table that we can read; the message says why and what to do."""


@dataclass(frozen=True)
class Row:
    """A row by the names of its columns, and the line of the file that it begins in, counted from 1."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """What a file holds, and how it was written. Names of columns are in lower case."""

    columns: Sequence[str]
    rows: Sequence[Row]
    encoding: str
    delimiter: str


def read_text(content: bytes) -> tuple[str, str]:
    """A file's text and its encoding: the one that its first bytes name, else UTF-8, else that of Windows. Raises UnreadableFile."""
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(N_("The file is larger than 512 KB. Split it into several."))
    named = [encoding for mark, encoding in BYTE_ORDER_MARKS if content.startswith(mark)]
    for encoding in named or ("utf-8", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding.removesuffix("-sig")
    raise UnreadableFile(NO_TEXT)


def read_table(text: str, encoding: str = "utf-8") -> Table:
    """The table in a text whose first row names its columns. Raises UnreadableFile."""
    if "\0" in text:  # What programs send comes without `read_text`.
        raise UnreadableFile(NO_TEXT)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = list(_numbered(reader))
    except csv.Error:
        message = N_("Line %(line)s cannot be read: check the quotation marks around its cells.")
        raise UnreadableFile(_(message) % {"line": reader.line_num}) from None
    if not lines:
        raise UnreadableFile(N_("The file is empty. Its first line names the columns."))
    columns = [name.strip().lower() for name in lines[0][1]]
    return Table(columns, [Row(line, _cells(columns, cells)) for line, cells in lines[1:]], encoding, delimiter)


def _rearmed(cell: str) -> str:
    """A cell as it was before `csv_line` made it harmless."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_MARKS) else cell


def _delimiter(text: str) -> str:
    """The sign that separates most in the first line, outside of quotation marks."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _numbered(reader: "csv._reader") -> "Iterable[tuple[int, list[str]]]":  # type: ignore[name-defined] # typeshed's name
    """The rows that are not empty, each with the line that it begins in. Raises UnreadableFile for too many."""
    begins, found = 1, 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            found += 1
            if found > MOST_ROWS + 1:
                raise UnreadableFile(N_("The file has more than 1,000 rows. Split it into several."))
            yield begins, cells
        begins = reader.line_num + 1


def _cells(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    return {name: _rearmed(cell.strip()) for name, cell in zip(columns, cells, strict=False)}

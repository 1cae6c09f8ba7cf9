"""Lines of CSV files (RFC 4180) that people open in a spreadsheet, which takes some cells for formulas."""

import csv
import io
from collections.abc import Iterable

# What a spreadsheet computes instead of showing it: a name such as =HYPERLINK(…) must stay a name.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


def csv_line(cells: Iterable[object]) -> str:
    """One record with its line ending. None is empty; what looks like a formula gets an apostrophe in front."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([_harmless(cell) for cell in cells])
    return text.getvalue()


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text

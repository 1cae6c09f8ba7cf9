"""What the public site says, read from the files beside this module: replace them, and the site is yours."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from app.config import Settings

FOLDER = Path(__file__).parent / "content"
LEGAL_PAGES = ("terms", "privacy")
MONTHS_IN_A_YEAR = 12


@dataclass(frozen=True)
class Plan:
    """What somebody can subscribe to. Prices are for one member, in minor units of the catalogue's currency."""

    key: str
    name: str
    text: str
    monthly: int
    yearly: int
    highlights: tuple[str, ...]
    is_recommended: bool = False

    @property
    def is_free(self) -> bool:
        return self.monthly == 0

    @property
    def monthly_when_paid_yearly(self) -> int:
        """What a month costs when the year is paid at once, in minor units."""
        return self.yearly // MONTHS_IN_A_YEAR


@dataclass(frozen=True)
class Row:
    """A line of the comparison: what it compares, and a value for each plan: a text, or whether it is included."""

    name: str
    values: tuple[str | bool, ...]


@dataclass(frozen=True)
class Catalogue:
    """All plans, the comparison of them, and the questions that people ask before they pay."""

    currency: str
    plans: tuple[Plan, ...]
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    questions: tuple[dict[str, str], ...]

    @property
    def months_saved(self) -> int:
        """How many months of a year are free, at least, when a paid plan is billed by the year."""
        return min((plan.monthly * 12 - plan.yearly) // plan.monthly for plan in self.plans if not plan.is_free)


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """The plans of content/plans.toml. Raises ValueError for a row that has not one value for each plan."""
    source = _read("plans.toml")
    plans = tuple(Plan(**{**entry, "highlights": tuple(entry["highlights"])}) for entry in source["plans"])
    groups = tuple((group["name"], tuple(_row(row, len(plans)) for row in group["rows"])) for group in source["groups"])
    return Catalogue(source["currency"], plans, groups, tuple(source["questions"]))


@lru_cache(maxsize=1)
def load_landing() -> dict[str, Any]:
    """The sections of content/landing.toml; their texts are message ids."""
    return _read("landing.toml")


@lru_cache(maxsize=16)
def find_legal_page(name: str, locale: str, settings: Settings) -> Markup | None:
    """The page `name` as HTML, in the reader's language where there is a translation; None when there is no such page."""
    if name not in LEGAL_PAGES:
        return None
    translated = FOLDER / "legal" / f"{name}.{locale}.md"
    source = translated if translated.is_file() else FOLDER / "legal" / f"{name}.md"
    text = fill_in(source.read_text(encoding="utf-8"), settings)
    # Our own text, in which Markdown may not contain HTML.
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))  # noqa: S704


def fill_in(text: str, settings: Settings) -> str:
    """Put the settings' names in the place of `$product`, `$company` and `$support_email`."""
    return Template(text).safe_substitute(
        product=settings.product_name, company=settings.company_name, support_email=settings.support_email
    )


def _read(file: str) -> dict[str, Any]:
    with (FOLDER / file).open("rb") as source:
        return tomllib.load(source)


def _row(entry: dict[str, Any], expected: int) -> Row:
    if len(entry["values"]) != expected:
        raise ValueError(f"plans.toml: the row {entry['name']!r} needs {expected} values, one for each plan.")
    return Row(entry["name"], tuple(entry["values"]))

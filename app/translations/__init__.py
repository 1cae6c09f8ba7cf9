"""The product's languages: which there are, which a reader prefers, and their catalogues.

Catalogues are read from the `.po` files themselves when a language is first asked for, so that there is no build step and
a translator sees the result on the next start. `babel.cfg` beside this module says where messages come from, and
`python -m app.translations.update` collects them.
"""

import io
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
SOURCE_LANGUAGE = "en"
LONGEST_HEADER = 500  # Longer than any browser sends; what follows is ignored rather than parsed.


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages that the product speaks, as BCP 47 tags; the one its sources are written in comes first."""
    translated = sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))
    return (SOURCE_LANGUAGE, *translated)


@lru_cache(maxsize=32)
def load_catalogue(locale: str) -> NullTranslations:
    """The messages of `locale`; for the source language and unknown ones, a catalogue that translates nothing."""
    if locale not in languages() or locale == SOURCE_LANGUAGE:
        return NullTranslations()
    with (FOLDER / locale / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalogue = read_po(source, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def negotiate(accept_language: str) -> str:
    """The language of ours that fits an `Accept-Language` header best (RFC 9110 section 12.5.4, RFC 4647 lookup)."""
    ranges = [_quality_and_tag(part) for part in accept_language[:LONGEST_HEADER].split(",")]
    for _, tag in sorted((pair for pair in ranges if pair[0] > 0), key=lambda pair: -pair[0]):
        found = _lookup(tag)
        if found:
            return found
    return SOURCE_LANGUAGE


def _lookup(tag: str) -> str | None:
    """Cut `tag` from its end, part by part, until it is one of our languages: "de-CH" becomes "de"."""
    while tag:
        if tag in languages():
            return tag
        tag = tag.rpartition("-")[0]
    return None


def _quality_and_tag(part: str) -> tuple[float, str]:
    tag, _, parameter = part.strip().partition(";")
    name, _, value = parameter.strip().partition("=")
    try:
        quality = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        quality = 0.0
    return quality, tag.strip().lower()

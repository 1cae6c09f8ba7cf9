"""Collects every text of the product and brings the catalogues up to date: `python -m app.translations.update [language]`.

The template of all messages is `messages.pot`; each language has a `messages.po` of its own, in which new messages are
empty until somebody translates them. With a language that does not exist yet, its catalogue is begun. Nothing is compiled.
"""

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from app.translations import FOLDER, SOURCE_LANGUAGE, languages

ROOT = FOLDER.parent.parent
SOURCES = ("app", "templates")
# These headers change with every run and say nothing; without them a diff shows texts and nothing else.
NOISE = (
    '"POT-Creation-Date:',
    '"PO-Revision-Date:',
    '"Last-Translator:',
    '"Language-Team:',
    '"Generated-By:',
    '"Project-Id-Version:',
    '"Report-Msgid-Bugs-To:',
)
COMMENT = "# Written by `python -m app.translations.update`; only the msgstr lines are for people."


def main() -> None:
    """Write messages.pot and every language's messages.po, and say how much is left to translate."""
    template = collect()
    _write(FOLDER / "messages.pot", template)
    for language in {*languages(), *sys.argv[1:]} - {SOURCE_LANGUAGE}:
        catalogue = _updated(language, template)
        _write(_path(language), catalogue)
        left = sum(1 for message in catalogue if message.id and not message.string)
        sys.stdout.write(f"{language}: {len(catalogue)} messages, {left} to translate\n")


def collect() -> Catalog:
    """Every message of the product, with the files that use it."""
    with (FOLDER / "babel.cfg").open(encoding="utf-8") as source:
        methods, options = parse_mapping_cfg(source)  # type: ignore[no-untyped-call]
    template = Catalog(header_comment=COMMENT, charset="utf-8", fuzzy=False)
    for file, _, message, comments, context in extract_from_dir(ROOT, methods, options, directory_filter=_is_source):
        template.add(message, None, [(file, 1)], auto_comments=comments, context=context)
    return template


def _is_source(directory: str | Path) -> bool:
    parts = Path(directory).relative_to(ROOT).parts
    return not parts or (parts[0] in SOURCES and "__pycache__" not in parts)


def _updated(language: str, template: Catalog) -> Catalog:
    """The catalogue of `language` with exactly the template's messages. Texts are never guessed from similar ones."""
    path = _path(language)
    if not path.is_file():
        catalogue = Catalog(locale=language, charset="utf-8", fuzzy=False)
    else:
        with path.open("rb") as source:
            catalogue = read_po(source, locale=language)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment = COMMENT
    return catalogue


def _path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def _write(path: Path, catalogue: Catalog) -> None:
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=120, sort_by_file=True, include_lineno=False)
    lines = buffer.getvalue().decode("utf-8").splitlines(keepends=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line for line in lines if not line.startswith(NOISE)), encoding="utf-8")


if __name__ == "__main__":
    main()

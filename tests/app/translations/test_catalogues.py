import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.translations import FOLDER, SOURCE_LANGUAGE, languages, load_catalogue, negotiate
from app.translations.update import collect

TRANSLATED = [language for language in languages() if language != SOURCE_LANGUAGE]
UPDATE = "run `python -m app.translations.update` and translate what is new"


def ids(catalogue: Catalog) -> set[str]:
    return {_key(message.id) for message in catalogue if message.id}


def _key(identifier: str | list[str] | tuple[str, ...]) -> str:
    return identifier if isinstance(identifier, str) else identifier[0]


def is_complete(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return bool(forms) and all(forms)


def read(path: str, locale: str | None = None) -> Catalog:
    with (FOLDER / path).open("rb") as source:
        return read_po(source, locale=locale)


@pytest.fixture(scope="module")
def used() -> set[str]:
    return ids(collect())


def test_every_text_of_the_product_is_in_the_template_of_messages(used: set[str]) -> None:
    assert ids(read("messages.pot")) == used, UPDATE


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_of_the_product_is_translated(used: set[str], language: str) -> None:
    catalogue = read(f"{language}/LC_MESSAGES/messages.po", language)

    translated = {
        _key(message.id) for message in catalogue if message.id and not message.fuzzy and is_complete(message)
    }
    assert sorted(used - translated) == [], UPDATE


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_same_blanks_to_fill_as_its_source(language: str) -> None:
    blanks = re.compile(r"%\(\w+\)s|\$\w+|\{\w+\}|%%")
    wrong = [
        message.id
        for message in read(f"{language}/LC_MESSAGES/messages.po", language)
        if isinstance(message.id, str) and message.id and isinstance(message.string, str) and message.string
        if sorted(set(blanks.findall(message.id))) != sorted(set(blanks.findall(message.string)))
    ]
    assert wrong == []


def test_german_is_spoken_and_counts_as_german_does() -> None:
    german = load_catalogue("de")

    assert german.gettext("Log in") == "Anmelden"
    one, many = (
        german.ngettext("There is a problem with one answer", "There are problems with %(num)s answers", n)
        for n in (1, 2)
    )
    assert one != many


def test_an_unknown_language_leaves_the_source_as_it_is() -> None:
    assert load_catalogue("../../etc").gettext("Log in") == "Log in"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, de;q=0.9", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr, de;q=0.5, en;q=0.7", "en"),
        ("fr;q=1, de;q=0.2", "de"),
        ("de;q=0, en", "en"),
        ("de;q=much", "en"),
        ("*", "en"),
        (",;,=;q", "en"),
        ("x" * 100_000 + ",de", "en"),
    ],
)
def test_the_readers_preference_decides_among_our_languages(header: str, expected: str) -> None:
    assert negotiate(header) == expected

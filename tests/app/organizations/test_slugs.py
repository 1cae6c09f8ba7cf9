"""The addresses that names become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from app.organizations.slugs import RESERVED_SLUGS, is_slug, slug_candidates, slug_of
from tests.app.accounts.people import add_person, organization_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        ("  ACME,  Inc. ", "acme-inc"),
        ("Žižkov & Çelik", "zizkov-celik"),
        ("ﬁne ①", "fine-1"),
        ("東京", ""),
        ("x" * 60, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_a_slug_is_what_an_address_can_hold_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", ["Admin", "API", "new", "Log in", "o", "Me", "東京", "!!"])
def test_names_without_a_usable_slug_get_a_random_ending(name: str) -> None:
    first = next(slug_candidates(name))

    assert first not in RESERVED_SLUGS
    assert is_slug(first)
    assert len(first) > len(slug_of(name))


@given(st.text())
def test_every_candidate_is_a_slug(name: str) -> None:
    assert all(is_slug(slug) for slug in slug_candidates(name))


@pytest.mark.parametrize("text", ["", "A", "a--b", "-a", "a-", "a_b", "a\n", "ä", "a" * 41, "a\x00"])
def test_what_the_database_refuses_is_no_slug(text: str) -> None:
    assert not is_slug(text)


async def test_people_of_the_same_name_get_different_addresses(db: AsyncSession) -> None:
    slugs = set()
    for number in range(4):
        user = await add_person(db, "Ada Lovelace", f"ada{number}@example.com")
        slugs.add((await organization_of(db, user)).slug)

    assert len(slugs) == 4
    assert "ada-lovelace" in slugs
    assert all(slug.startswith("ada-lovelace") for slug in slugs)

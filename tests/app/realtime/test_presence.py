"""Who is looking at an organization."""

from datetime import timedelta

import pytest
from httpx2 import AsyncClient
from sqlalchemy import update

from app import clock
from app.database import system_scope
from app.ids import uuid7
from app.realtime.models import Presence
from app.realtime.presence import COUNTS_FOR
from tests.app.realtime.listening import SECONDS, Person, Product


async def present(product: Product, person: Person, slug: str, place: str | None = None) -> list[str] | int:
    """The names that the API lists, or its status."""
    query = {} if place is None else {"place": place}
    async with AsyncClient(base_url=product.url, cookies={"session": person.token}, timeout=SECONDS) as client:
        answer = await client.get(f"/api/v1/organizations/{slug}/presence", params=query)
    return [each["name"] for each in answer.json()["items"]] if answer.status_code == 200 else answer.status_code


async def test_following_its_presence_makes_a_member_present_until_they_leave(product: Product) -> None:
    ada, grace = await product.add_person("Ada Present"), await product.add_person("Grace Present")
    await product.add_member(grace, ada.organization.id)
    slug, topic = ada.organization.slug, f"presence:{ada.organization.id}"
    async with product.listening(ada, topic) as watching:
        await watching.hear()
        async with product.listening(grace, topic):
            assert (await watching.hear())["type"] == "presence.changed"
            assert await present(product, ada, slug) == ["Ada Present", "Grace Present"]
        while product.app.state.hub.count_connections(grace.user.id):
            assert (await watching.ask(type="ping"))["type"] == "pong"
        await product.app.state.presence.renew()
        assert (await watching.hear())["type"] == "presence.changed"
        assert await present(product, ada, slug) == ["Ada Present"]


async def test_at_a_project_those_are_present_who_look_at_that_one(product: Product) -> None:
    ada, grace = await product.add_person("Ada Present"), await product.add_person("Grace Present")
    await product.add_member(grace, ada.organization.id)
    slug, organization = ada.organization.slug, f"presence:{ada.organization.id}"
    boat, shed = f"project:{uuid7()}", f"project:{uuid7()}"
    async with product.listening(ada, f"{organization}/{boat}") as watching:
        assert (await watching.hear())["data"] == {"user_id": str(ada.user.id)}
        async with product.listening(grace, f"{organization}/{shed}"):
            assert await present(product, ada, slug, shed) == ["Grace Present"]
            assert await present(product, ada, slug) == ["Ada Present", "Grace Present"]
            assert (await watching.ask(type="ping"))["type"] == "pong", "what happens elsewhere is not told here"
        async with product.listening(grace, f"{organization}/{boat}"):
            assert (await watching.hear())["data"] == {"user_id": str(grace.user.id)}
            assert await present(product, ada, slug, boat) == ["Ada Present", "Grace Present"]


@pytest.mark.requirement("WSK-1", "TEN-1")
async def test_a_place_is_one_that_a_feature_names_in_an_organization_of_ones_own(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    own, project = f"presence:{ada.organization.id}", f"project:{uuid7()}"
    async with product.listening(ada, f"{own}/{project}") as listener:
        await listener.hear()
        for topic in (
            f"presence:{grace.organization.id}/{project}",
            f"{own}/boat:{uuid7()}",
            f"{own}/{project.upper()}",
            f"{own}/project:1",
            f"{ada.organization_topic}/{project}",
            f"{ada.own_topic}/{project}",
        ):
            assert (await listener.ask(type="subscribe", topics=[topic]))["type"] == "refused", topic
    assert await present(product, ada, ada.organization.slug, "boat:1") == 404


async def test_those_of_a_process_that_died_count_for_half_a_minute(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada, f"presence:{ada.organization.id}") as listener:
        await listener.hear()
        assert await present(product, ada, ada.organization.slug) == ["Ada Lovelace"]
        long_ago = clock.now() - COUNTS_FOR - timedelta(seconds=1)
        async with product.database.transaction() as db, system_scope(db):
            await db.execute(update(Presence).values(seen_at=long_ago))
        assert await present(product, ada, ada.organization.slug) == []


@pytest.mark.requirement("TEN-1")
async def test_strangers_do_not_see_who_is_there(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    assert await present(product, grace, ada.organization.slug) == 404

"""Every route and method of the application, as every actor of the table."""

import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from app import features
from app.config import Settings
from app.main import create_app
from core.routing import BaseRoute, Mount, Route, WebSocketRoute
from tests.isolation.expectations import ACTORS, Outcome, Row, actors_for, expected, outcome_of, rows, stated_access
from tests.isolation.things import CONTENT, Things, is_thing, parameter
from tests.isolation.world import NOBODYS, OURS, World
from tests.test_architecture import every_route

RecordProperty = Callable[[str, object], None]

pytestmark = pytest.mark.requirement("TEN-2")

PARAMETER = re.compile(r"{(\w+)(?::(?!int)\w+)?}")
NUMBER = re.compile(r"{\w+:int}")
# What differs between two answers that say the same.
NOISE = re.compile(r'nonce="[^"]*"|value="[^"]*"|content="[^"]*"|[0-9a-f]{32}|\b(?:theirs|no-such-organization)\b')
FEATURES = ("health", "static", *features.feature_names())
OWNER = next(actor for actor in ACTORS if actor.name == "owner")
STRANGERS = [actor for actor in ACTORS if actor.name in ("stranger", "removed", "suspended", "stranger's token")]


@cache
def all_routes(settings: Settings) -> dict[str, BaseRoute]:
    return {str(getattr(route, "name", "")): route for route in every_route(list(create_app(settings).routes))}


def of_feature(settings: Settings, feature: str) -> Iterator[tuple[str, Route, Row]]:
    """The routes of a feature that answer requests, with their rows; websockets have tests of their own."""
    for name, route in all_routes(settings).items():
        if name.partition(".")[0] == feature and isinstance(route, Route) and name in rows():
            yield name, route, rows()[name]


def methods_of(route: Route) -> list[str]:
    return sorted((route.methods or set()) - {"HEAD"})


def path_of(route: Route, things: Things, **instead: object) -> str:
    numbered = NUMBER.sub("2147483647", route.path)
    path = PARAMETER.sub(lambda match: str(instead.get(match[1], parameter(things, route.name, match[1]))), numbered)
    return path + (f"?{query}" if (query := rows()[route.name].query) else "")


def without_noise(text: str) -> str:
    return NOISE.sub("…", text)


def test_every_route_has_a_row_that_says_what_its_guards_ask_for(settings: Settings) -> None:
    routes = {name: route for name, route in all_routes(settings).items() if not isinstance(route, Mount)}
    stated = {name: stated_access(route) for name, route in routes.items()}

    assert {name: row.access for name, row in rows().items()} == stated, (
        "A route is new, gone, or open to others than tests/isolation/routes.toml says."
    )


@pytest.mark.parametrize("feature", FEATURES)
async def test_everybody_gets_what_the_table_says(
    settings: Settings, world: World, feature: str, record_property: RecordProperty
) -> None:
    wrong, cells = [], 0
    for name, route, row in of_feature(settings, feature):
        path = path_of(route, world.ours)
        finds = (
            "{slug}" in route.path
            and row.finds
            and all(is_thing(world.ours, each) for each in PARAMETER.findall(route.path))
        )
        for method in methods_of(route):
            for actor in actors_for(row):
                wanted = expected(row, actor, path)
                if row.endless and wanted == Outcome.IN:
                    continue
                answer = await world.ask(actor, method, path)
                cells += 1
                if (got := outcome_of(answer, wanted, row, finds=finds)) != wanted:
                    wrong.append(f"{name}: {method} {path} as {actor.name}: {got} ({answer.status_code}), not {wanted}")
    record_property("cells", cells)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("feature", FEATURES)
async def test_what_belongs_to_others_is_the_same_404_as_what_does_not_exist(
    settings: Settings, world: World, feature: str, record_property: RecordProperty
) -> None:
    wrong, cells = [], 0
    for name, route, _row in of_feature(settings, feature):
        if "{slug}" not in route.path:
            continue
        missing = path_of(route, world.theirs, slug=NOBODYS)
        for method in methods_of(route):
            answers = [await world.ask(OWNER, method, path) for path in (path_of(route, world.theirs), missing)]
            cells += len(answers)
            if {answer.status_code for answer in answers} != {404} or len({without_noise(a.text) for a in answers}) > 1:
                wrong.append(f"{name}: {method} {missing}")
    record_property("cells", cells)
    assert wrong == []


@pytest.mark.requirement("TEN-4")
@pytest.mark.parametrize("feature", FEATURES)
async def test_things_of_others_are_not_found_under_ones_own_address(
    settings: Settings, world: World, feature: str, record_property: RecordProperty
) -> None:
    wrong, cells = [], 0
    for name, route, _row in of_feature(settings, feature):
        foreign = {
            each: parameter(world.theirs, name, each) for each in PARAMETER.findall(route.path) if each != "slug"
        }
        if "{slug}" not in route.path or not any(is_thing(world.theirs, each) for each in foreign):
            continue
        path = path_of(route, world.ours, **foreign)
        for method in methods_of(route):
            answer = await world.ask(OWNER, method, path)
            cells += 1
            if answer.status_code != 404:
                wrong.append(f"{name}: {method} {path}: {answer.status_code}")
    record_property("cells", cells)
    assert wrong == []


@pytest.mark.requirement("UPL-4")
async def test_the_link_of_a_download_is_for_one_person_alone(world: World, record_property: RecordProperty) -> None:
    led = await world.ask(OWNER, "GET", f"/o/{OURS}/files/{world.ours['file_id']}/download")
    answers = {actor.name: await world.ask(actor, "GET", led.headers["location"]) for actor in ACTORS}
    record_property("cells", len(answers))

    assert {name for name, answer in answers.items() if answer.status_code == 200} == {"owner", "stale"}
    assert answers["owner"].content == CONTENT
    assert {answer.status_code for name, answer in answers.items() if name in ("admin", "member", "stranger")} == {404}


def test_strangers_of_every_kind_are_among_the_actors() -> None:
    assert len(STRANGERS) == 4
    assert len(ACTORS) >= 8


def test_websockets_are_in_the_table(settings: Settings) -> None:
    sockets = {name for name, route in all_routes(settings).items() if isinstance(route, WebSocketRoute)}
    assert {name: rows()[name].access for name in sockets} == dict.fromkeys(sockets, "person")

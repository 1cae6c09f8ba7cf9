"""Every topic, subscription and question on a line that stays open, as every actor of the table."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import AsyncClient
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from app import features
from app.api.graphql_schema import schema
from app.config import Settings
from app.organizations.dependencies import NotAllowed
from app.realtime.topics import USER, NoSuchTopic, permissions
from tests.app.realtime.listening import SECONDS, Product, migrated_database, running_product
from tests.databases import DatabaseServer
from tests.isolation.expectations import ACTORS, TABLE, Actor, Outcome, Row, expected
from tests.isolation.test_graphql import KINDS, QUESTIONS, resolved_fields, wanted
from tests.isolation.things import Things
from tests.isolation.world import NOBODYS, OURS, THEIRS, World, make_world

pytestmark = pytest.mark.requirement("TEN-2", "TEN-4", "GQL-3", "WSK-1")

RecordProperty = Callable[[str, object], None]
PATH = "/ws"
NOBODY = "01890000-0000-7000-8000-000000000000"
# For each subscription: what asks for it, with %s for an organization, and the topic behind it.
SUBSCRIPTIONS = {"audit_events": ('subscription { auditEvents(slug: "%s") { action } }', "audit")}
MESSAGES = {"Not Found": Outcome.MISSING, NotAllowed().message: Outcome.FORBIDDEN}
REASONS = {NoSuchTopic().message: Outcome.MISSING, NotAllowed().message: Outcome.FORBIDDEN}
STATUSES = {200: Outcome.IN, 303: Outcome.LOG_IN, **KINDS}


@dataclass
class Lines:
    """The running product, with everybody in it."""

    product: Product
    world: World

    @asynccontextmanager
    async def open(self, actor: Actor, path: str, **options: Any) -> AsyncIterator[ClientConnection]:
        """A websocket of the actor. Raises InvalidStatus if the handshake is refused."""
        address = f"{self.product.url.replace('http', 'ws')}{path}"
        headers = self.world.headers[actor.name]
        async with connect(address, origin=self.product.url, additional_headers=headers, **options) as socket:  # type: ignore[arg-type]
            yield socket

    @asynccontextmanager
    async def conversing(self, actor: Actor) -> AsyncIterator[ClientConnection]:
        """A websocket on which the actor asks by GraphQL."""
        async with self.open(actor, "/graphql", subprotocols=["graphql-transport-ws"]) as socket:
            assert await ask(socket, type="connection_init") == {"type": "connection_ack"}
            yield socket

    async def follows(self, actor: Actor, topic: str) -> Outcome:
        """What becomes of the wish to follow a topic by server-sent events."""
        headers = {"accept": "text/event-stream", **self.world.headers[actor.name]}
        async with (
            AsyncClient(base_url=self.product.url, headers=headers, timeout=SECONDS) as client,
            client.stream("GET", f"/events?topic={topic}") as response,
        ):
            return STATUSES.get(response.status_code, Outcome.FAILED)

    async def subscribes(self, socket: ClientConnection, question: str, topic: str) -> Outcome:
        """What becomes of a subscription: a refusal, or that the topic behind it is followed."""
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": question}}))
        hearing = asyncio.ensure_future(hear(socket))
        while not hearing.done() and not self.product.app.state.hub.is_followed(topic):
            await asyncio.sleep(0)
        if hearing.done():
            return outcome_of(hearing.result())
        hearing.cancel()
        return Outcome.IN

    async def is_left(self, topic: str) -> bool:
        """Whether nobody follows the topic any more."""
        async with asyncio.timeout(SECONDS):
            while self.product.app.state.hub.is_followed(topic):
                await asyncio.sleep(0)
        return True


@pytest.fixture(scope="module")
async def lines(
    settings: Settings, server: DatabaseServer, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lines]:
    folder = tmp_path_factory.mktemp("lines")
    async with (
        migrated_database(server) as database,
        running_product(settings, database, data_directory=folder) as product,
        database.engine.connect() as connection,
    ):
        yield Lines(product, await make_world(product.app, product.app.state.settings, database, connection))


async def hear(socket: ClientConnection) -> Any:
    async with asyncio.timeout(SECONDS):
        return json.loads(await socket.recv())


async def ask(socket: ClientConnection, **message: Any) -> Any:
    await socket.send(json.dumps(message))
    return await hear(socket)


def outcome_of(message: Mapping[str, Any]) -> Outcome:
    """What GraphQL's answer on a websocket says, whether it came to an operation or not."""
    payload = message["payload"]
    errors = payload.get("errors", ()) if isinstance(payload, dict) else payload
    return MESSAGES.get(errors[0]["message"], Outcome.FAILED) if errors else Outcome.IN


async def wish(socket: ClientConnection, topic: str) -> Outcome:
    """What becomes of the wish to follow a topic, whatever is told meanwhile in those that are followed already."""
    told = await ask(socket, type="subscribe", topics=[topic])
    while told.get("topics") != [topic]:
        told = await hear(socket)
    return REASONS[told["reason"]] if told["type"] == "refused" else Outcome.IN


async def answered(socket: ClientConnection, question: str) -> Outcome:
    """What becomes of a question that is answered once."""
    found = await ask(socket, id="1", type="subscribe", payload={"query": question})
    if found["type"] == "next":
        assert (await hear(socket))["type"] == "complete"
    return outcome_of(found)


def kinds() -> dict[str, Row]:
    """The rows of the topics that this product has."""
    places = {
        f"presence/{kind}"
        for _, module in features.modules("routes")
        for kind in getattr(module, "presence_places", {})
    }
    return {name: Row(TABLE["topics"].get(name, "nobody decided")) for name in {USER, *permissions(), *places}}


def topic_of(kind: str, things: Things, person: object) -> str:
    kind, _, place = kind.partition("/")
    whose = person if kind == USER else things["organization_id"]
    return f"{kind}:{whose}" + (f"/{place}:{things[f'{place}_id']}" if place else "")


def topics_for(world: World, actor: Actor) -> Iterator[tuple[str, Outcome]]:
    """Each topic with what the table says: of the organization, of others, and of nobody."""
    nothing = Outcome.MISSING if actor.has_session else Outcome.LOG_IN
    others = next(each for each in ACTORS if world.people[each.name] != world.people[actor.name])
    for kind, row in kinds().items():
        may = expected(row, actor, PATH)
        yield topic_of(kind, world.ours, world.people[actor.name]), may
        yield topic_of(kind, {**world.ours, "organization_id": NOBODY}, NOBODY), nothing
        is_owner_there = actor.name == "stranger" and kind != USER
        if not is_owner_there:
            yield topic_of(kind, world.theirs, world.people[others.name]), nothing


def test_every_topic_and_subscription_has_a_row() -> None:
    assert [name for name, row in kinds().items() if row.access == "nobody decided"] == []
    fields = {field.name for field in schema.schema_converter.type_map["Subscription"].definition.fields}  # type: ignore[union-attr]
    assert fields == SUBSCRIPTIONS.keys() == TABLE["subscriptions"].keys()


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.name)
async def test_topics_are_followed_as_the_table_says(
    lines: Lines, actor: Actor, record_property: RecordProperty
) -> None:
    asked = list(topics_for(lines.world, actor))
    record_property("cells", 2 * len(asked))
    try:
        async with lines.open(actor, PATH) as socket:
            assert (await hear(socket))["type"] == "ready"
            by_websocket = [await wish(socket, topic) for topic, _ in asked]
    except InvalidStatus as refusal:
        by_websocket = [KINDS[refusal.response.status_code]] * len(asked)
    by_events = [await lines.follows(actor, topic) for topic, _ in asked]

    assert dict(zip(asked, by_websocket, strict=True)) == {each: each[1] for each in asked}
    assert dict(zip(asked, by_events, strict=True)) == {each: each[1] for each in asked}


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.name)
async def test_graphql_answers_on_a_line_as_the_table_says(
    lines: Lines, actor: Actor, record_property: RecordProperty
) -> None:
    asked = {name: QUESTIONS[name].replace("%s", OURS) for name in sorted(resolved_fields())}
    expectations = {name: wanted(name, actor) if actor.has_session else Outcome.LOG_IN for name in asked}
    try:
        async with lines.conversing(actor) as socket:
            found = {name: await answered(socket, question) for name, question in asked.items()}
    except InvalidStatus as refusal:
        found = dict.fromkeys(asked, KINDS[refusal.response.status_code])
    record_property("cells", len(asked))

    # The question asks for a project that there is not.
    if expectations.get("Query.project") == Outcome.IN:
        expectations["Query.project"] = Outcome.MISSING
    assert found == expectations


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.name)
@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_subscriptions_are_for_whom_the_table_says(
    lines: Lines, name: str, actor: Actor, record_property: RecordProperty
) -> None:
    question, topic = SUBSCRIPTIONS[name]
    followed = f"{topic}:{lines.world.ours['organization_id']}"
    may = expected(Row(TABLE["subscriptions"][name]), actor, PATH)
    others = THEIRS if actor.name != "stranger" else NOBODYS
    try:
        async with lines.conversing(actor) as socket:
            foreign = [await answered(socket, question.replace("%s", slug)) for slug in (others, NOBODYS)]
            own = await lines.subscribes(socket, question.replace("%s", OURS), followed)
    except InvalidStatus as refusal:
        own, foreign = KINDS[refusal.response.status_code], [Outcome.LOG_IN] * 2
    record_property("cells", 3)

    assert await lines.is_left(followed)
    assert own == may
    assert set(foreign) == ({Outcome.MISSING} if actor.has_session else {Outcome.LOG_IN})

"""GraphQL's subscriptions at /graphql, over graphql-transport-ws."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from app.accounts.actions import end_sessions
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import name_organization
from tests.app.realtime.listening import SECONDS, Person, Product, migrated_database, running_product
from tests.databases import DatabaseServer

AUDIT = "subscription ($slug: String!) { auditEvents(slug: $slug) { action actorLabel } }"


@pytest.fixture(scope="module")
async def product(settings: Settings, server: DatabaseServer, anyio_backend: str) -> AsyncIterator[Product]:
    async with migrated_database(server) as database, running_product(settings, database) as product:
        yield product


@asynccontextmanager
async def conversing(product: Product, person: Person, origin: str | None = None) -> AsyncIterator[ClientConnection]:
    address = f"{product.url.replace('http', 'ws')}/graphql"
    handshake = product.handshake(person, origin)
    async with connect(address, subprotocols=["graphql-transport-ws"], **handshake) as socket:  # type: ignore[list-item]
        await socket.send('{"type": "connection_init"}')
        assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def hear(socket: ClientConnection) -> Any:
    async with asyncio.timeout(SECONDS):
        return json.loads(await socket.recv())


async def ask(socket: ClientConnection, query: str, **variables: str) -> None:
    payload = {"query": query, "variables": variables}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


async def do_something(product: Product, person: Person) -> None:
    async with product.database.transaction() as db:
        await name_organization(db, person.organization.id)
        await record(
            db,
            "test.done",
            actor_id=person.user.id,
            actor_label=person.user.name,
            organization_id=person.organization.id,
            request=RequestFacts(),
        )


async def following(product: Product, person: Person) -> bool:
    hub = product.app.state.hub
    async with asyncio.timeout(SECONDS):
        while not hub.is_followed(f"audit:{person.organization.id}"):
            await asyncio.sleep(0)
    return True


async def test_what_happens_in_an_organization_is_told_as_it_happens(product: Product) -> None:
    ada = await product.add_person()
    async with conversing(product, ada) as socket:
        await ask(socket, AUDIT, slug=ada.organization.slug)
        assert await following(product, ada)
        await do_something(product, ada)
        told = await hear(socket)

    assert told["payload"]["data"]["auditEvents"] == {"action": "test.done", "actorLabel": "Ada Lovelace"}


async def test_questions_are_answered_on_the_same_line(product: Product) -> None:
    ada = await product.add_person()
    async with conversing(product, ada) as socket:
        await ask(
            socket,
            "query ($slug: String!) { me { name } organization(slug: $slug) { members { name } auditEvents { action } } }",
            slug=ada.organization.slug,
        )
        data = (await hear(socket))["payload"]["data"]

    assert data["me"] == {"name": "Ada Lovelace"}
    assert data["organization"]["members"] == [{"name": "Ada Lovelace"}]
    assert data["organization"]["auditEvents"]


@pytest.mark.requirement("TEN-1", "WSK-1")
async def test_nobody_follows_what_they_may_not_read(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    await product.add_member(grace, ada.organization.id)
    async with conversing(product, grace) as socket:
        await ask(socket, AUDIT, slug=ada.organization.slug)
        [refusal] = (await hear(socket))["payload"]
        assert refusal["message"].startswith("Your role does not allow this")
        assert refusal["extensions"] == {"status": 403}
    with pytest.raises(InvalidStatus):
        await conversing(product, ada, "http://evil.example").__aenter__()


@pytest.mark.requirement("SES-4", "WSK-1")
async def test_the_line_ends_with_its_session(product: Product) -> None:
    ada = await product.add_person()
    async with conversing(product, ada) as socket:
        await ask(socket, AUDIT, slug=ada.organization.slug)
        assert await following(product, ada)
        async with product.changing() as db:
            await end_sessions(db, ada.user)
        async with asyncio.timeout(SECONDS):
            await socket.wait_closed()
        assert socket.close_code == 4401

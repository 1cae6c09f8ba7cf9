"""The product under a real uvicorn on a database of its own, and people who listen to it."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.accounts.actions import start_session
from app.accounts.models import User
from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, system_scope
from app.main import create_app
from app.organizations.models import Membership, Organization
from app.policy import Role
from app.realtime.protocol import DirectProtocol
from core.applications import Starlette
from tests.app.accounts.people import add_person, organization_of
from tests.core.serving import serving
from tests.databases import DatabaseServer, new_database_name

SECONDS = 20.0  # On a busy machine; an idle one takes a few milliseconds.


@dataclass
class Person:
    """Somebody with a session and an organization of their own."""

    user: User
    organization: Organization
    token: str

    @property
    def own_topic(self) -> str:
        return f"user:{self.user.id}"

    @property
    def organization_topic(self) -> str:
        return f"organization:{self.organization.id}"


@dataclass
class Product:
    """The running product."""

    url: str
    database: Database
    app: Starlette

    async def add_person(self, name: str = "Ada Lovelace") -> Person:
        async with self.database.transaction() as db:
            user = await add_person(db, name, f"{secrets.token_hex(6)}@example.com")
            return Person(user, await organization_of(db, user), await log_in(db, user))

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncSession]:
        """A transaction that changes whatever it likes, with the event without which it would not be kept."""
        async with self.database.transaction() as db, system_scope(db):
            yield db
            await record(db, "tests.changed", actor_id=None, request=RequestFacts())

    async def add_member(self, person: Person, organization_id: UUID, role: Role = Role.MEMBER) -> None:
        async with self.changing() as db:
            db.add(Membership(organization_id=organization_id, user_id=person.user.id, role=role))

    @asynccontextmanager
    async def listening(self, person: Person, *topics: str, since: int | None = None) -> AsyncIterator["Listener"]:
        """A websocket of the person that follows topics."""
        async with connect(f"{self.url.replace('http', 'ws')}/ws", **self.handshake(person)) as socket:
            listener = Listener(socket)
            assert (await listener.hear())["type"] == "ready"
            if topics:
                listener.first = await listener.ask(type="subscribe", topics=topics, since=since)
            yield listener

    def handshake(self, person: Person | None, origin: str | None = None) -> dict[str, Any]:
        cookies = {"cookie": f"session={person.token}"} if person else {}
        # On a busy machine a process of its own takes its time to start.
        return {"origin": origin or self.url, "additional_headers": cookies, "open_timeout": 60}

    @asynccontextmanager
    async def streaming(
        self, person: Person, query: str = "", last_event_id: int | None = None
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """What a browser's EventSource hears, one piece of JSON after the other."""
        headers = {} if last_event_id is None else {"last-event-id": str(last_event_id)}
        async with (
            AsyncClient(base_url=self.url, cookies={"session": person.token}, timeout=SECONDS) as client,
            client.stream("GET", f"/events{query}", headers=headers) as response,
        ):
            assert response.status_code == 200, response.status_code
            yield (json.loads(line[6:]) async for line in response.aiter_lines() if line.startswith("data: "))


@dataclass
class Listener:
    """One websocket."""

    socket: ClientConnection
    first: Any = None

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def ask(self, **message: Any) -> Any:
        await self.say(**message)
        return await self.hear()

    async def hear(self) -> Any:
        async with asyncio.timeout(SECONDS):
            return json.loads(await self.socket.recv())

    async def end(self) -> int | None:
        """The code with which the server closes."""
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        return self.socket.close_code


async def log_in(db: Any, user: User) -> str:  # Any: a session of the database.
    return await start_session(db, user, methods=["password"], facts=RequestFacts())


@asynccontextmanager
async def running_product(settings: Settings, database: Database, **changes: Any) -> AsyncIterator[Product]:
    """One server process's worth of product, with settings of development so that cookies need no TLS."""
    url = database.engine.url.render_as_string(hide_password=False)
    changed = replace(
        settings, base_url="http://127.0.0.1:0", database_url=url, allowed_hosts=("127.0.0.1",), **changes
    )
    app = create_app(changed, database=database)
    async with serving(app, ws=DirectProtocol, ws_max_size=65536, lifespan="on") as served:
        address = f"http://127.0.0.1:{served.address[1]}"
        app.state.settings = replace(changed, base_url=address)
        yield Product(address, database, app)


@asynccontextmanager
async def migrated_database(server: DatabaseServer) -> AsyncIterator[Database]:
    """A database for all tests of a module, whose people do not know each other."""
    name = new_database_name(server)
    await server.create_database(name)
    database = Database(server.application_url(name), pool_size=10)
    yield database
    await database.close()
    await server.drop_database(name)

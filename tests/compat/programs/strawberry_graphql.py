"""Strawberry's ASGI application on core: queries, mutations, files, subscriptions."""

import json
from collections.abc import AsyncIterator
from typing import cast

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.file_uploads import Upload
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import Info


@strawberry.type
class Boat:
    name: str
    length: float


BOATS = [Boat(name="Fram", length=39.0)]


@strawberry.type
class Query:
    @strawberry.field
    def boats(self, longer_than: float = 0) -> list[Boat]:
        return [boat for boat in BOATS if boat.length > longer_than]

    @strawberry.field
    def agent(self, info: Info) -> str:
        info.context["response"].headers["x-seen"] = "yes"
        return str(info.context["request"].headers["user-agent"])


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def read(self, file: Upload) -> str:
        # Upload is the name of a scalar; what comes is the framework's own file.
        given = cast(UploadFile, file)
        return f"{given.filename}: {(await given.read()).decode()}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number


class Endpoint(GraphQL[object, object]):
    async def get_root_value(self, request: Request | WebSocket) -> object:
        return None


@pytest.fixture
def client() -> TestClient:
    schema = strawberry.Schema(Query, Mutation, Subscription)
    endpoint = Endpoint(schema, multipart_uploads_enabled=True)
    return TestClient(Starlette(routes=[Mount("/graphql", app=endpoint)]))


def ask(client: TestClient, query: str, **variables: object) -> Response:
    return client.post("/graphql/", json={"query": query, "variables": variables})


def test_a_query_with_variables(client: TestClient) -> None:
    response = ask(client, "query ($least: Float!) { boats(longerThan: $least) { name } }", least=10)

    assert response.json() == {"data": {"boats": [{"name": "Fram"}]}}


def test_a_query_in_the_address(client: TestClient) -> None:
    assert client.get("/graphql/", params={"query": "{ boats { length } }"}).json()["data"]["boats"] == [
        {"length": 39.0}
    ]


def test_a_resolver_sees_the_request_and_writes_headers(client: TestClient) -> None:
    response = ask(client, "{ agent }")

    assert response.json()["data"]["agent"] == "testclient"
    assert response.headers["x-seen"] == "yes"


def test_errors_are_part_of_the_answer(client: TestClient) -> None:
    assert "Cannot query field" in ask(client, "{ nothing }").json()["errors"][0]["message"]
    assert client.post("/graphql/", content="{", headers={"content-type": "application/json"}).status_code == 400


def test_an_upload(client: TestClient) -> None:
    operations = {"query": "mutation ($file: Upload!) { read(file: $file) }", "variables": {"file": None}}
    response = client.post(
        "/graphql/",
        data={"operations": json.dumps(operations), "map": json.dumps({"0": ["variables.file"]})},
        files={"0": ("log.txt", b"ahoy", "text/plain")},
    )

    assert response.json() == {"data": {"read": "log.txt: ahoy"}}


def test_the_explorer_is_a_page(client: TestClient) -> None:
    response = client.get("/graphql/", headers={"accept": "text/html"})

    assert response.headers["content-type"].startswith("text/html")
    assert "graphiql" in response.text.lower()


def test_a_subscription(client: TestClient) -> None:
    with client.websocket_connect("/graphql/", [GRAPHQL_TRANSPORT_WS_PROTOCOL]) as session:
        session.send_json({"type": "connection_init"})
        assert session.receive_json()["type"] == "connection_ack"
        session.send_json({"type": "subscribe", "id": "1", "payload": {"query": "subscription { count(to: 2) }"}})
        received = [session.receive_json() for _ in range(3)]

    assert [message.get("payload") for message in received] == [{"data": {"count": 0}}, {"data": {"count": 1}}, None]
    assert received[-1]["type"] == "complete"

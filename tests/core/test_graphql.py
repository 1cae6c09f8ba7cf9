"""GraphQL over HTTP and websockets: the two specifications, the limits, and what is never told."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import anyio
import graphql as library
import pytest
import strawberry

from core.applications import Starlette
from core.exceptions import HTTPException
from core.graphql import GraphQL, GraphQLRequest, Limits
from core.requests import HTTPConnection, Request
from core.responses import Response
from core.routing import Route, WebSocketRoute
from core.testclient import AsyncTestClient, AsyncWebSocketTestSession
from core.websockets import WebSocketDisconnect
from tests.core.connections import cpu_seconds

GRAPHQL_JSON = "application/graphql-response+json"
PROTOCOL = "graphql-transport-ws"

SCHEMA = """
type Query {
  hello(name: String): String
  ship: Ship
  ships(first: Int = 5): [Ship!]!
  fleet(first: Int, limit: Int): Fleet
  numbers(first: Int): [Int!]
  broken: String
  refused: String
  meant: String
  slow: String
  visitor: String
  required: String!
  nested(value: Nested): String
}
type Ship { name: String sister: Ship sisters: [Ship!]! }
type Fleet { ships: [Ship!]! name: String }
input Nested { inner: Nested }
type Mutation { rename(name: String!): String }
type Subscription { count(to: Int!): Int forever: Int failing: Int none: Int }
"""


class Root:
    """The resolvers. Those of graphql-core's default way take only the info."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ended = 0
        self.started = anyio.Event()

    def hello(self, info: Any, name: str = "world") -> str:
        return f"Hello, {name}"

    async def broken(self, info: Any) -> str:
        raise ValueError("the password is swordfish")

    async def refused(self, info: Any) -> str:
        raise HTTPException(403, "Not for you.")

    async def meant(self, info: Any) -> str:
        raise library.GraphQLError("Say please.", extensions={"code": "RUDE"})

    async def slow(self, info: Any) -> str:
        self.started.set()
        await anyio.sleep_forever()
        return ""

    def visitor(self, info: Any) -> str:
        return str(info.context)

    def required(self, info: Any) -> None:
        return None

    def nested(self, info: Any, value: Any = None) -> str:
        return "deep"

    def rename(self, info: Any, name: str) -> str:
        self.names.append(name)
        return name

    async def count(self, info: Any, to: int) -> AsyncIterator[dict[str, int]]:
        for number in range(to):
            yield {"count": number}

    async def forever(self, info: Any) -> AsyncIterator[dict[str, int]]:
        try:
            yield {"forever": 1}
            self.started.set()
            await anyio.sleep_forever()
        finally:
            self.ended += 1

    async def failing(self, info: Any) -> AsyncIterator[dict[str, int]]:
        yield {"failing": 1}
        raise ValueError("the password is swordfish")

    async def none(self, info: Any) -> None:
        raise ValueError("the password is swordfish")


def served(root: Root | None = None, **options: Any) -> AsyncTestClient:
    server = GraphQL(library.build_schema(SCHEMA), root_value=root or Root(), **options)
    routes = [Route("/graphql", server), WebSocketRoute("/graphql", server)]
    return AsyncTestClient(Starlette(routes=routes), base_url="http://testserver")


async def ask(query: str, variables: Any = None, **options: Any) -> Any:
    """The body of the answer, whose status has to be what the specification says of that body."""
    response = await served(**options).post(
        "/graphql", json={"query": query, "variables": variables}, headers={"accept": GRAPHQL_JSON}
    )
    body = response.json()
    assert response.status_code == (200 if "data" in body else 400)
    return body


@pytest.fixture
def anyio_backend() -> str:
    """graphql-core gathers results with asyncio."""
    return "asyncio"


# HTTP


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, application/json", "application/json"),
        (f"text/html, {GRAPHQL_JSON};q=0", None),
        ("text/html", None),
    ],
)
async def test_the_answer_has_the_media_type_that_the_client_prefers(
    accept: str | None, media_type: str | None
) -> None:
    client = served()
    if accept is None:
        client.headers.pop("accept", None)
    response = await client.post(
        "/graphql", json={"query": "{ hello }"}, headers={} if accept is None else {"accept": accept}
    )
    assert response.status_code == (406 if media_type is None else 200)
    assert response.headers["content-type"] == f"{media_type or 'application/json'}; charset=utf-8"
    assert response.headers["vary"] == "accept"


@pytest.mark.parametrize(
    "parameters",
    [{"query": "{ hello }"}, {"query": "query A { hello } query B { ship { name } }", "operationName": "A"}],
)
async def test_queries_are_answered_by_get_and_post(parameters: dict[str, str]) -> None:
    client = served()
    assert (await client.get("/graphql", params=parameters)).json() == {"data": {"hello": "Hello, world"}}
    assert (await client.post("/graphql", json=parameters)).json() == {"data": {"hello": "Hello, world"}}


async def test_variables_come_as_an_object_or_in_an_address_as_json() -> None:
    query = "query ($name: String) { hello(name: $name) }"
    response = await served().get("/graphql", params={"query": query, "variables": '{"name": "Zoë"}'})
    assert response.json() == {"data": {"hello": "Hello, Zoë"}}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"null", 400),
        (b'"{ hello }"', 400),
        (b"[" * 5000 + b"]" * 5000, 400),
        (b'[{"query": "{ hello }"}]', 400),
        (b"{}", 400),
        (b'{"query": null}', 400),
        (b'{"query": ["{ hello }"]}', 400),
        (b'{"query": "{ hello }", "operationName": 7}', 400),
        (b'{"query": "{ hello }", "variables": []}', 400),
        (b'{"query": "{ hello }", "variables": "{}"}', 400),
        (b'{"query": "{ hello }", "extensions": 1}', 400),
        (b'{"query": "{ hello }", "variables": null, "operationName": null, "extensions": null}', 200),
        (b'{"query": "{ hello }", "operationName": ""}', 200),
        (b'{"query": "{ hello }"}' + b" " * 16 * 1024, 413),
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL_JSON, "application/json"])
async def test_a_body_that_is_no_request_is_refused_whatever_the_client_accepts(
    body: bytes, status: int, accept: str
) -> None:
    headers = {"content-type": "application/json", "accept": accept}
    response = await served().post("/graphql", content=body, headers=headers)
    assert response.status_code == status
    assert ("errors" in response.json()) is (status != 200)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonp",
    ],
)
async def test_only_json_in_utf_8_is_read(content_type: str) -> None:
    response = await served().post(
        "/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type}
    )
    assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_may_say_that_it_is_utf_8(content_type: str) -> None:
    response = await served().post(
        "/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type}
    )
    assert response.status_code == 200


async def test_a_body_without_a_length_is_not_read_beyond_the_limit() -> None:
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 1024

    response = await served().post("/graphql", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert read < 30


@pytest.mark.parametrize("accept", [GRAPHQL_JSON, "application/json"])
@pytest.mark.requirement("GQL-2")
async def test_get_never_runs_a_mutation(accept: str) -> None:
    root = Root()
    client = served(root)
    parameters = {"query": 'mutation { rename(name: "Fram") }'}
    response = await client.get("/graphql", params=parameters, headers={"accept": accept})
    assert (response.status_code, response.headers["allow"], root.names) == (405, "POST", [])
    named = {"query": 'query A { hello } mutation B { rename(name: "Fram") }', "operationName": "B"}
    assert (await client.get("/graphql", params=named)).status_code == 405
    assert (await client.head("/graphql", params=parameters)).status_code == 405
    assert root.names == []
    assert (await client.post("/graphql", json=parameters)).json() == {"data": {"rename": "Fram"}}


async def test_other_methods_and_long_addresses_are_refused() -> None:
    client = served()
    response = await client.put("/graphql", json={"query": "{ hello }"})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    address = "/graphql?" + urlencode({"query": "{ hello }" + " " * 16 * 1024})
    assert (await client.get(address)).status_code == 414


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "",
        "{ unknown }",
        "{ ship }",
        "query A { hello } query B { hello }",
        "subscription { forever }",
        "{ hello(name: 1) }",
    ],
)
async def test_what_cannot_be_run_is_a_400_only_in_the_newer_media_type(query: str) -> None:
    client = served()
    newer = await client.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON})
    older = await client.post("/graphql", json={"query": query}, headers={"accept": "application/json"})
    assert (newer.status_code, older.status_code) == (400, 200)
    assert newer.json() == older.json()
    assert newer.json().keys() == {"errors"}


async def test_variables_of_the_wrong_type_are_refused_before_anything_runs() -> None:
    body = await ask("query ($n: Int) { ships(first: $n) { name } }", {"n": "many"})
    assert body.keys() == {"errors"}


async def test_an_error_that_empties_the_whole_answer_is_still_an_answer() -> None:
    body = await ask("{ required }")
    assert body["data"] is None


# Errors


@pytest.mark.parametrize(
    ("field", "message", "extensions"),
    [
        ("refused", "Not for you.", {"status": 403}),
        ("meant", "Say please.", {"code": "RUDE"}),
        ("broken", "Something went wrong on our side.", {"status": 500}),
    ],
)
async def test_a_client_is_told_what_is_meant_for_it(field: str, message: str, extensions: dict[str, Any]) -> None:
    body = await ask(f"{{ hello {field} }}")
    assert body["data"] == {"hello": "Hello, world", field: None}
    [error] = body["errors"]
    assert (error["message"], error["extensions"], error["path"]) == (message, extensions, [field])


@pytest.mark.requirement("GQL-2")
async def test_what_is_masked_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "core.graphql"):
        body = await ask("{ broken }")
    assert "swordfish" not in json.dumps(body)
    [record] = caplog.records
    assert record.message == "A resolver failed at broken."
    assert record.exc_info is not None
    assert "swordfish" in str(record.exc_info[1])


@pytest.mark.parametrize(
    "query",
    ["{ __schema { types { name } } }", '{ __type(name: "Ship") { name } }', "{ a: __schema { queryType { name } } }"],
)
async def test_the_schema_is_told_only_where_it_is_switched_on(query: str) -> None:
    assert "data" in await ask(query, introspection=True)
    body = await ask(query)
    assert body.keys() == {"errors"}
    assert "introspection has been disabled" in body["errors"][0]["message"]


async def test_the_usual_introspection_query_is_within_the_limits() -> None:
    assert "errors" not in await ask(library.get_introspection_query(), introspection=True)
    assert (await ask("{ ship { __typename } }"))["data"] == {"ship": None}


@pytest.mark.parametrize("query", ["{ helo }", "{ hello(nam: 1) }", "{ ship { ...F } } fragment F on Shipp { name }"])
async def test_names_are_suggested_only_where_introspection_is_switched_on(query: str) -> None:
    assert "Did you mean" in json.dumps(await ask(query, introspection=True))
    assert "Did you mean" not in json.dumps(await ask(query))


async def test_an_operation_that_takes_too_long_is_broken_off() -> None:
    client = served(limits=Limits(seconds=0.05))
    for accept in (GRAPHQL_JSON, "application/json"):
        response = await client.post("/graphql", json={"query": "{ slow }"}, headers={"accept": accept})
        assert response.status_code == 503
        assert response.json()["errors"][0]["message"] == "The operation took longer than 0.05 seconds."


# Limits. Each attack is refused by the limit that is named, and nothing is validated or run first.


def deep(levels: int) -> str:
    return "{ ship " + "{ sister " * (levels - 2) + "{ name }" + " }" * (levels - 1)


def doubling(levels: int) -> str:
    """Fragments that use the next one twice: 2 ** levels fields in a few hundred bytes."""
    fragments = [f"fragment F{n} on Ship {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return " ".join(["{ ship { ...F0 } }", *fragments, f"fragment F{levels} on Ship {{ name }}"])


ATTACKS = [
    ("depth", deep(9)),
    (
        "depth",
        "{ ship { ...A } } fragment A on Ship { sister { sister { sister { sister { sister { sister { sister { name } } } } } } } }",
    ),
    (
        "depth",
        "{ ship { ... on Ship { sister { sister { sister { sister { sister { sister { ... { sister { name } } } } } } } } } } }",
    ),
    ("depth", "{ nowhere { a { b { c { d { e { f { g { h } } } } } } } } }"),
    ("cost", "{ ships(first: 1000) { name } }"),
    ("cost", "{ ships(first: 100) { sisters { name } } }"),
    ("cost", "{ ships { sisters { sisters { sisters { name } } } } }"),
    ("cost", "query ($n: Int) { ships(first: $n) { name } }"),
    ("cost", "query ($m: Int = 5000) { ships(first: $m) { name } }"),
    ("cost", "{ fleet(first: 1000) { ships { name } } }"),
    ("cost", "{ fleet(first: 1, limit: 1000) { ships { name } } }"),
    ("cost", "{ numbers(first: 100000) }"),
    ("cost", "{ ships(first: 500) { ...A ...A } } fragment A on Ship { name }"),
    ("cost", doubling(11)),
    ("cost", doubling(40)),
    ("cost", "{ " + "hello " * 998 + "ship { name sister { name } } }"),
    ("aliases", "{ " + " ".join(f"a{n}: hello" for n in range(16)) + " }"),
    (
        "aliases",
        "{ ...A ...B } fragment A on Query { ...B ...B ...B } fragment B on Query { a: hello b: hello c: hello d: hello }",
    ),
    ("aliases", "{ " + "b: hello " * 16 + "}"),
    ("aliases", "{ __schema { " + " ".join(f"a{n}: queryType {{ name }}" for n in range(16)) + " } }"),
    ("comparisons", "{ " + "ship { name } " * 46 + "}"),
    ("comparisons", "{ " + "hello " * 246 + "}"),
    ("comparisons", "{ hello } fragment A on Query { " + "... { ship { name } } " * 46 + "}"),
    ("directives", "{ hello " + "@include(if: true) " * 51 + "}"),
    ("directives", "query " + "@x " * 51 + "{ hello }"),
    ("directives", "query A { hello } query B { hello " + "@skip(if: false) " * 51 + "}"),
]


@pytest.mark.parametrize(("limit", "query"), ATTACKS)
@pytest.mark.requirement("GQL-1")
async def test_an_operation_beyond_a_limit_is_refused(limit: str, query: str) -> None:
    response = await served(limits=Limits(tokens=4000)).post(
        "/graphql",
        json={"query": query, "operationName": "A" if "query A" in query else None, "variables": {"n": 1000}},
    )
    messages = [error["message"] for error in response.json()["errors"]]
    assert f"The operation's {limit} may be {getattr(Limits(), limit)} at most." in messages


@pytest.mark.parametrize("size", ["9" * 20, "9" * 6000, '"many"'])
async def test_a_size_that_is_no_int_is_refused_by_validation(size: str) -> None:
    response = await served(limits=Limits(tokens=4000)).post(
        "/graphql", json={"query": f"{{ ships(first: {size}) {{ name }} }}"}, headers={"accept": GRAPHQL_JSON}
    )
    assert response.status_code == 400


HARMLESS = [
    deep(8),
    "{ ships(first: 499) { name } }",
    "{ ships { sisters { name } } }",
    "{ fleet(first: 100) { ships { name sister { name } } } }",
    "{ fleet { name ships { name } } }",
    "{ " + " ".join(f"a{n}: hello" for n in range(15)) + " }",
    "{ ships(first: -5) { name } }",
    "{ hello " + "@include(if: true) " + "}",
]


@pytest.mark.parametrize("query", HARMLESS)
async def test_an_operation_within_the_limits_is_not_refused_by_them(query: str) -> None:
    body = await ask(query)
    assert "at most" not in json.dumps(body.get("errors", []))


async def test_a_document_of_too_many_tokens_is_not_parsed_to_its_end() -> None:
    body = await ask("{ " + "hello " * 1000 + "}")
    assert "token" in body["errors"][0]["message"].lower()


CIRCLES = [
    "{ ship { ...A } } fragment A on Ship { ...A }",
    "{ ship { ...A } } fragment A on Ship { sister { ...B } } fragment B on Ship { ...A }",
]


@pytest.mark.parametrize("query", CIRCLES)
async def test_fragments_in_circles_are_refused_by_validation(query: str) -> None:
    assert "Cannot spread fragment" in (await ask(query))["errors"][0]["message"]


@pytest.mark.parametrize("depth", [100, 480])
async def test_deep_values_are_refused_rather_than_recursed_into(depth: int) -> None:
    literal = "{ nested(value: " + "{ inner: " * depth + "null" + " }" * depth + ") }"
    assert (await ask(literal))["errors" if depth > 240 else "data"]
    value: Any = None
    for _ in range(depth):
        value = {"inner": value}
    response = await served().post(
        "/graphql", json={"query": "query ($v: Nested) { nested(value: $v) }", "variables": {"v": value}}
    )
    assert response.status_code == 200
    assert response.json().keys() & {"data", "errors"}


@pytest.mark.parametrize("depth", [150, 170, 190, 250, 320, 600, 900, 1200])
async def test_depth_is_refused_wherever_it_is(depth: int) -> None:
    literal, braces = '{"inner":' * depth + "null" + "}" * depth, " }" * depth
    selections, fragments = "{ " + "ship { " * depth + "name }" + braces, "{ " + "... { " * depth + "hello }" + braces
    for query, variables in (
        (selections, "null"),
        (fragments, "null"),
        ("query ($v: Nested) { nested(value: $v) }", literal),
    ):
        body = f'{{"query": {json.dumps(query)}, "variables": {{"v": {variables}}}}}'
        response = await served().post("/graphql", content=body, headers={"content-type": "application/json"})
        assert response.status_code in (200, 400)
        assert depth < 250 or "errors" in response.json()


FLOODS: dict[str, str] = {
    "equal fields": "{ " + "hello " * 990 + "}",
    "equal fields within the limit": "{ " + "hello " * 245 + "}",
    "equal fields of equal fields": "{ " + ("ship { " + "name " * 6 + "} ") * 44 + "}",
    "equal fields that nest": "{ " + "ship { sister { sister { name } } } " * 25 + "}",
    "equal fields in fragments": "{ ...F0 } "
    + " ".join(f"fragment F{n} on Query {{ ship {{ name }} ...F{n + 1} }}" for n in range(70)),
    "unknown fields": "{ " + " ".join(f"hell{n}" for n in range(990)) + " }",
    "doubling fragments": doubling(75),
    "operations": " ".join(f"query Q{n} {{ hello }}" for n in range(190)),
    "variables": "query (" + " ".join(f"$v{n}: String" for n in range(240)) + ") { hello }",
    "brackets": "{ hello(name: " + "[" * 490 + "]" * 490 + ") }",
    "comments": "{ hello }" + "#\n" * 8000,
    "one long name": "{ " + "h" * 16000 + " }",
    "one long string": '{ hello(name: "' + "\\u0041" * 2600 + '") }',
}


@pytest.mark.parametrize("name", FLOODS)
async def test_no_document_costs_much_before_it_is_refused_or_run(name: str) -> None:
    server = GraphQL(library.build_schema(SCHEMA), root_value=Root(), introspection=True)

    def attack(times: int) -> None:
        for _ in range(times):
            coroutine = server.run(GraphQLRequest(FLOODS[name]))
            with pytest.raises(StopIteration):
                coroutine.send(None)

    assert cpu_seconds(attack, 1) < 0.15


# Schemas and contexts


async def test_a_schema_of_strawberry_is_taken_as_it_is() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        async def greeting(self, info: strawberry.Info, name: str = "world") -> str:
            return f"Hello, {name}, says {info.context}"

    server = GraphQL(strawberry.Schema(Query), context=lambda connection: "the context")
    status, payload = await server.run(GraphQLRequest('{ greeting(name: "Ada") }'), "Grace")
    assert (status, payload) == (200, {"data": {"greeting": "Hello, Ada, says Grace"}})


@pytest.mark.parametrize("schema", [None, "type Query { a: Int }", object()])
def test_what_is_no_schema_is_refused_at_once(schema: Any) -> None:
    with pytest.raises(TypeError, match="is no GraphQL schema"):
        GraphQL(schema)


def test_a_schema_that_is_not_valid_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="Query root type must be provided"):
        GraphQL(library.GraphQLSchema())


async def context_by_awaiting(connection: HTTPConnection) -> str:
    return connection.headers["x-name"]


@pytest.mark.parametrize("context", [lambda connection: connection.headers["x-name"], context_by_awaiting])
async def test_the_context_is_made_for_each_request(context: Callable[[HTTPConnection], Any]) -> None:
    client = served(context=context)
    for name in ("Ada", "Grace"):
        response = await client.post("/graphql", json={"query": "{ visitor }"}, headers={"x-name": name})
        assert response.json() == {"data": {"visitor": name}}


def for_members_only(connection: HTTPConnection) -> str:
    if connection.headers.get("x-name") != "Ada":
        raise HTTPException(401, "Log in.")
    return "Ada"


async def test_a_context_may_refuse_the_request_before_it_is_read() -> None:
    response = await served(context=for_members_only).post("/graphql", content=b"{")
    assert (response.status_code, response.text) == (401, "Log in.")


async def test_a_handler_with_dependencies_of_its_own_answers_with_its_own_context() -> None:
    server = GraphQL(library.build_schema(SCHEMA), root_value=Root())

    async def handler(request: Request) -> Response:
        return await server.answer(request, "from the handler")

    client = AsyncTestClient(Starlette(routes=[Route("/graphql", handler)]), base_url="http://testserver")
    response = await client.get("/graphql?query={visitor}")
    assert response.json() == {"data": {"visitor": "from the handler"}}


# Websockets


class Talk:
    """A client's side of the protocol, one message at a time."""

    def __init__(self, session: AsyncWebSocketTestSession) -> None:
        self.session = session

    async def say(self, type: str, **members: Any) -> None:
        await self.session.send_json({"type": type, **members})

    async def hear(self) -> Any:
        with anyio.fail_after(5):
            return await self.session.receive_json()

    async def close_code(self) -> int:
        """The code with which the server ends the connection, whatever it says before."""
        try:
            while True:
                await self.hear()
        except WebSocketDisconnect as closed:
            return closed.code

    async def begin(self) -> None:
        await self.say("connection_init")
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str, id: str = "1", **payload: Any) -> None:
        await self.say("subscribe", id=id, payload={"query": query, **payload})


@asynccontextmanager
async def conversation(
    root: Root | None = None, headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Talk]:
    client = served(root, **options)
    async with client.websocket_connect("/graphql", [PROTOCOL], headers=headers) as session:
        assert session.accepted_subprotocol == PROTOCOL
        yield Talk(session)


async def test_a_subscription_sends_its_results_and_completes() -> None:
    async with conversation() as talk:
        await talk.begin()
        await talk.subscribe("subscription ($to: Int!) { count(to: $to) }", variables={"to": 2})
        assert [await talk.hear() for _ in range(3)] == [
            {"type": "next", "id": "1", "payload": {"data": {"count": 0}}},
            {"type": "next", "id": "1", "payload": {"data": {"count": 1}}},
            {"type": "complete", "id": "1"},
        ]
        await talk.subscribe("subscription { count(to: 0) }")
        assert await talk.hear() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize(
    ("query", "data"),
    [("{ hello }", {"hello": "Hello, world"}), ('mutation { rename(name: "Fram") }', {"rename": "Fram"})],
)
async def test_queries_and_mutations_have_one_result(query: str, data: dict[str, str]) -> None:
    async with conversation() as talk:
        await talk.begin()
        await talk.subscribe(query)
        assert await talk.hear() == {"type": "next", "id": "1", "payload": {"data": data}}
        assert await talk.hear() == {"type": "complete", "id": "1"}


async def test_a_client_completes_a_subscription_and_may_use_its_id_again() -> None:
    root = Root()
    async with conversation(root) as talk:
        await talk.begin()
        await talk.subscribe("subscription { forever }")
        await talk.hear()
        await root.started.wait()
        await talk.say("complete", id="1")
        await talk.say("complete", id="of nothing")
        await talk.subscribe("{ hello }")
        assert (await talk.hear())["payload"] == {"data": {"hello": "Hello, world"}}
        assert root.ended == 1


async def test_leaving_ends_all_subscriptions() -> None:
    root = Root()
    async with conversation(root) as talk:
        await talk.begin()
        await talk.subscribe("subscription { forever }", "1")
        await talk.subscribe("subscription { forever }", "2")
        assert {(await talk.hear())["id"] for _ in range(2)} == {"1", "2"}
        await root.started.wait()
    assert root.ended == 2


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{", "Syntax Error: Expected Name, found <EOF>."),
        ("subscription { nothing }", "Cannot query field 'nothing' on type 'Subscription'."),
        (deep(9), "The operation's depth may be 8 at most."),
        ("subscription { none }", "Something went wrong on our side."),
    ],
)
async def test_an_operation_that_cannot_begin_is_an_error_message(query: str, message: str) -> None:
    async with conversation() as talk:
        await talk.begin()
        await talk.subscribe(query)
        heard = await talk.hear()
        assert (heard["type"], heard["id"]) == ("error", "1")
        assert heard["payload"][0]["message"] == message
        await talk.subscribe("{ hello }")
        assert (await talk.hear())["type"] == "next"


async def test_a_stream_that_fails_is_masked_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with conversation() as talk:
        await talk.begin()
        with caplog.at_level(logging.ERROR, "core.graphql"):
            await talk.subscribe("subscription { failing }")
            assert (await talk.hear())["payload"] == {"data": {"failing": 1}}
            assert await talk.hear() == {
                "type": "error",
                "id": "1",
                "payload": [{"message": "Something went wrong on our side.", "extensions": {"status": 500}}],
            }
    assert "swordfish" in caplog.text


async def test_pings_are_answered_at_any_time() -> None:
    async with conversation() as talk:
        await talk.say("ping")
        assert await talk.hear() == {"type": "pong"}
        await talk.say("pong", payload={})
        await talk.begin()
        await talk.say("ping", payload={"time": 1})
        assert await talk.hear() == {"type": "pong"}


Message = dict[str, Any]
INIT: Message = {"type": "connection_init"}
FOREVER: Message = {"type": "subscribe", "id": "1", "payload": {"query": "subscription { forever }"}}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([FOREVER], 4401),
        ([INIT, INIT], 4429),
        ([INIT, FOREVER, FOREVER], 4409),
        ([INIT, *({**FOREVER, "id": str(number)} for number in range(11))], 4429),
        ([{"type": "start", "id": "1"}], 4400),
        ([{"type": ["ping"]}], 4400),
        ([["ping"]], 4400),
        ([{}], 4400),
        ([INIT, {"type": "subscribe", "payload": {"query": "{ hello }"}}], 4400),
        ([INIT, {"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}], 4400),
        ([INIT, {"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": 1}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": [{"query": "{ hello }"}]}], 4400),
        ([INIT, {"type": "complete", "id": ["1"]}], 4400),
        ([{"type": "ping", "payload": {"padding": "x" * 16 * 1024}}], 1009),
    ],
)
async def test_a_breach_of_the_protocol_ends_the_connection(messages: list[Any], code: int) -> None:
    async with conversation() as talk:
        for message in messages:
            await talk.session.send_json(message)
        assert await talk.close_code() == code


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "\ud800"])
async def test_a_message_that_is_not_json_ends_the_connection(text: str) -> None:
    async with conversation() as talk:
        await talk.session.send_text(text)
        assert await talk.close_code() == 4400


async def test_bytes_end_the_connection() -> None:
    async with conversation() as talk:
        await talk.session.send_bytes(b'{"type": "connection_init"}')
        assert await talk.close_code() == 1003


async def test_who_does_not_begin_in_time_is_sent_away() -> None:
    async with conversation(limits=Limits(initialisation_seconds=0.02)) as talk:
        assert await talk.close_code() == 4408


async def test_an_old_connection_is_ended() -> None:
    async with conversation(limits=Limits(connection_seconds=0.3)) as talk:
        await talk.begin()
        await talk.subscribe("subscription { forever }")
        await talk.hear()
        assert await talk.close_code() == 1001


@pytest.mark.parametrize("subprotocols", [[], ["graphql-ws"], ["graphql-ws", "chat"]])
async def test_other_protocols_are_not_spoken(subprotocols: list[str]) -> None:
    async with served().websocket_connect("/graphql", subprotocols) as session:
        assert session.accepted_subprotocol is None
        assert await Talk(session).close_code() == 4406


async def test_a_context_that_refuses_ends_the_connection() -> None:
    async with conversation(context=for_members_only) as talk:
        await talk.say("connection_init")
        assert await talk.close_code() == 4403
    async with conversation(context=for_members_only, headers={"x-name": "Ada"}) as talk:
        await talk.begin()


async def test_rights_are_checked_again_for_each_operation() -> None:
    rights = ["while connecting", "for the first operation"]

    async def context(connection: HTTPConnection) -> str:
        if not rights:
            raise HTTPException(401)
        return rights.pop(0)

    async with conversation(context=context) as talk:
        await talk.begin()
        await talk.subscribe("{ visitor }")
        assert (await talk.hear())["payload"] == {"data": {"visitor": "for the first operation"}}
        assert (await talk.hear())["type"] == "complete"
        await talk.subscribe("{ visitor }")
        assert await talk.close_code() == 4403


async def test_the_context_may_read_what_the_client_said_at_first() -> None:
    async with conversation(context=lambda connection: connection.state.connection_params["name"]) as talk:
        await talk.say("connection_init", payload={"name": "Ada"})
        await talk.hear()
        await talk.subscribe("{ visitor }")
        assert (await talk.hear())["payload"] == {"data": {"visitor": "Ada"}}

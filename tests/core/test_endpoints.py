"""Endpoints as classes."""

from __future__ import annotations

import threading
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from core.applications import Starlette
from core.endpoints import HTTPEndpoint, WebSocketEndpoint
from core.exceptions import HTTPException
from core.openapi import openapi_document, operation
from core.params import Body, Depends, InvalidSignature, Query, Status, depends_on
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Route, Router, WebSocketRoute
from core.testclient import AsyncTestClient, TestClient
from core.types import Message
from core.websockets import WebSocket
from tests.core.connections import Sent, answer, http_scope, messages_of, websocket_scope

CONNECT: Message = {"type": "websocket.connect"}


class Page(HTTPEndpoint):
    secret = "never called"

    async def get(self, request: Request) -> Response:
        return PlainTextResponse("got")

    def post(self, request: Request) -> Response:
        in_thread = threading.current_thread() is not threading.main_thread()
        return PlainTextResponse("posted in a thread" if in_thread else "posted")

    async def query(self, request: Request) -> Response:
        return PlainTextResponse("found")


class TestHTTPEndpoint:
    @pytest.mark.parametrize(
        ("method", "text"), [("GET", "got"), ("HEAD", "got"), ("POST", "posted in a thread"), ("QUERY", "found")]
    )
    async def test_a_method_is_answered_by_the_method_of_its_name(self, method: str, text: str) -> None:
        assert (await answer(Page, http_scope(method))).body == text.encode()

    async def test_head_may_have_an_answer_of_its_own(self) -> None:
        class WithHead(Page):
            async def head(self, request: Request) -> Response:
                return Response(headers={"x-head": "1"})

        assert "x-head" in (await answer(WithHead, http_scope("HEAD"))).headers

    async def test_another_method_is_refused_with_the_list_of_those_allowed(self) -> None:
        sent = await answer(Page, http_scope("PUT"))
        assert (sent.status, sent.headers["allow"]) == (405, "GET, HEAD, POST, QUERY")
        with pytest.raises(HTTPException) as caught:
            await answer(Page, http_scope("PUT", app=object()))
        assert caught.value.headers == {"Allow": "GET, HEAD, POST, QUERY"}

    @pytest.mark.parametrize(
        "method", ["DISPATCH", "SECRET", "METHOD_NOT_ALLOWED", "_HANDLER", "__INIT__", "SCOPE", "get"]
    )
    async def test_cve_2026_48817_a_method_cannot_name_another_attribute(self, method: str) -> None:
        assert (await answer(Page, http_scope(method))).status == 405

    def test_it_needs_a_scope_of_its_type(self) -> None:
        with pytest.raises(AssertionError):
            Page(websocket_scope(), messages_of(), Sent())


class Recording(WebSocketEndpoint):
    received: list[Any]
    closed_with: int

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        type(self).received = [*getattr(self, "received", []), data]

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        type(self).closed_with = close_code


def endpoint(kind: Literal["text", "bytes", "json"] | None) -> type[Recording]:
    return type("Endpoint", (Recording,), {"encoding": kind, "received": []})


async def run(kind: type[Recording], *messages: Message, sent: Sent | None = None) -> None:
    await kind(websocket_scope(), messages_of(CONNECT, *messages), sent or Sent())


def frame(**data: Any) -> Message:
    return {"type": "websocket.receive", **data}


class TestWebSocketEndpoint:
    @pytest.mark.parametrize(
        ("kind", "message", "data"),
        [
            ("text", frame(text="a"), "a"),
            ("text", frame(text=""), ""),
            ("bytes", frame(bytes=b"a"), b"a"),
            ("json", frame(text="[1]"), [1]),
            ("json", frame(bytes=b"[1]", text=None), [1]),
            (None, frame(text=""), ""),
            (None, frame(bytes=b"a", text=None), b"a"),
        ],
    )
    async def test_messages_are_decoded(
        self, kind: Literal["text", "bytes", "json"] | None, message: Message, data: Any
    ) -> None:
        recording = endpoint(kind)
        await run(recording, message, {"type": "websocket.disconnect", "code": 1001})
        assert (recording.received, recording.closed_with) == ([data], 1001)

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("text", frame(bytes=b"a")),
            ("bytes", frame(text="a")),
            ("json", frame(text="{")),
            ("json", frame(bytes=b"\xff")),
        ],
    )
    async def test_a_message_that_cannot_be_decoded_ends_the_connection(
        self, kind: Literal["text", "bytes", "json"], message: Message
    ) -> None:
        recording, sent = endpoint(kind), Sent()
        with pytest.raises(RuntimeError):
            await run(recording, message, sent=sent)
        assert sent.messages[-1]["code"] == 1003
        assert recording.closed_with == 1011

    async def test_the_end_is_told_in_any_case(self) -> None:
        recording = endpoint(None)
        await run(recording, {"type": "websocket.disconnect"})
        assert recording.closed_with == 1000

        class Failing(Recording):
            async def on_receive(self, websocket: WebSocket, data: Any) -> None:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await run(Failing, frame(text="a"))
        assert Failing.closed_with == 1011

    async def test_it_accepts_by_default_and_ignores_messages(self) -> None:
        sent = Sent()
        await WebSocketEndpoint(
            websocket_scope(), messages_of(CONNECT, frame(text="a"), {"type": "websocket.disconnect"}), sent
        )
        assert [message["type"] for message in sent.messages] == ["websocket.accept"]

    async def test_an_unknown_encoding_is_an_error(self) -> None:
        with pytest.raises(AssertionError, match="xml"):
            await run(endpoint("xml"), frame(text="a"))  # type: ignore[arg-type]

    def test_it_needs_a_scope_of_its_type(self) -> None:
        with pytest.raises(AssertionError):
            WebSocketEndpoint(http_scope(), messages_of(), Sent())


class Number(BaseModel):
    number: int


async def place(websocket: WebSocket) -> str:
    return str(websocket.path_params["place"])


class TestTypedMethods:
    """A method that declares what it needs is compiled when its route is built, as a function is."""

    def boat(self) -> type[HTTPEndpoint]:
        class Boat(HTTPEndpoint):
            crew = "Ada"

            async def get(this, number: int, request: Request, times: Annotated[int, Query()] = 1) -> dict[str, Any]:  # noqa: N805
                """Show a boat."""
                return {"number": number * times, "crew": this.crew, "method": request.method}

            def post(self, body: Annotated[Number, Body()]) -> Annotated[Number, Status(201)]:
                return Number(number=body.number + 1)

            async def delete(self, request: Request) -> Response:
                return PlainTextResponse("scuttled")

        return Boat

    async def test_methods_declare_what_they_need(self) -> None:
        async with AsyncTestClient(Router([Route("/boats/{number:int}", self.boat())])) as client:
            shown = await client.get("/boats/7?times=2")
            made = await client.post("/boats/7", json={"number": 1})
            assert shown.json() == {"number": 14, "crew": "Ada", "method": "GET"}
            assert (made.status_code, made.json()) == (201, {"number": 2})
            assert (await client.head("/boats/7")).status_code == 200
            assert (await client.delete("/boats/7")).text == "scuttled"
            assert (await client.put("/boats/7")).headers["allow"] == "GET, HEAD, POST, DELETE"

    async def test_their_bad_input_is_a_problem_document(self) -> None:
        async with AsyncTestClient(Router([Route("/boats/{number:int}", self.boat())])) as client:
            problem = (await client.get("/boats/7?times=often")).json()
        assert problem["errors"][0]["pointer"] == "#/times"

    async def test_each_request_has_an_instance_of_its_own(self) -> None:
        class Counter(HTTPEndpoint):
            count = 0

            async def get(self, step: Annotated[int, Query()]) -> list[int]:
                self.count += step
                return [self.count]

        async with AsyncTestClient(Router([Route("/", Counter)])) as client:
            assert [(await client.get("/?step=1")).json() for _ in range(2)] == [[1], [1]]

    async def test_depends_on_attaches_to_a_method(self) -> None:
        async def refuse() -> None:
            raise HTTPException(403)

        class Page(HTTPEndpoint):
            @depends_on(Depends(refuse))
            async def get(self, request: Request) -> Response: ...  # type: ignore[empty-body]

        async with AsyncTestClient(Starlette(routes=[Route("/", Page)])) as client:
            assert (await client.get("/")).status_code == 403

    async def test_a_plain_class_stays_as_it_is(self) -> None:
        assert Page.at_path("/", ()) is Page

    def test_a_mistake_in_a_method_is_an_error_when_the_route_is_built(self) -> None:
        class Search(HTTPEndpoint):
            async def get(self, request: Request, page: int = 1) -> Response: ...  # type: ignore[empty-body]

        with pytest.raises(
            InvalidSignature, match=r"Search\.get \(/.*/tests/core/test_endpoints\.py:\d+\): parameter 'page'"
        ):
            Route("/", Search)

    def test_the_document_describes_each_method(self) -> None:
        @operation(hidden=True)
        async def patch(self: Any, request: Request) -> Response: ...  # type: ignore[empty-body]

        boat = type("Boat", (self.boat(),), {"patch": patch})
        document = openapi_document([Route("/boats/{number:int}", boat, name="boats.boat")], title="", version="1")
        described = document["paths"]["/boats/{number}"]
        assert {verb: each["operationId"] for verb, each in described.items()} == {
            "get": "boats.boat.get",
            "post": "boats.boat.post",
            "delete": "boats.boat.delete",
        }
        assert described["get"]["summary"] == "Show a boat."
        assert [each["name"] for each in described["get"]["parameters"]] == ["number", "times"]
        assert "201" in described["post"]["responses"]

    def test_a_websockets_events_declare_what_they_need(self) -> None:
        ends: list[tuple[int, str]] = []

        class Bell(WebSocketEndpoint):
            encoding = "json"
            strokes = 0

            async def on_connect(self, websocket: WebSocket, limit: Annotated[int, Query()]) -> None:  # type: ignore[override]
                self.limit = limit
                await websocket.accept()

            async def on_receive(self, websocket: WebSocket, data: Any, place: Annotated[str, Depends(place)]) -> None:  # type: ignore[override]
                self.strokes += data
                await websocket.send_text(f"{place}: {self.strokes} of {self.limit}")

            async def on_disconnect(self, close_code: int, place: Annotated[str, Depends(place)]) -> None:  # type: ignore[override]
                ends.append((close_code, place))

        client = TestClient(Starlette(routes=[WebSocketRoute("/{place}", Bell)]))
        with client.websocket_connect("/tower?limit=9") as session:
            heard = []
            for strokes in (1, 2):
                session.send_json(strokes)
                heard.append(session.receive_text())
            session.close(1001)
        assert heard == ["tower: 1 of 9", "tower: 3 of 9"]
        assert ends == [(1001, "tower")]

    def test_an_event_of_plain_methods_may_have_any_names(self) -> None:
        class Echo(WebSocketEndpoint):
            async def on_receive(self, websocket: WebSocket, message: str) -> None: ...

            async def on_disconnect(self, socket, code) -> None: ...  # type: ignore[no-untyped-def]

        assert Echo.at_path("/", ()) is Echo

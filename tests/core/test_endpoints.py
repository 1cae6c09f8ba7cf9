"""Endpoints as classes."""

from __future__ import annotations

import threading
from typing import Any, Literal

import pytest

from core.endpoints import HTTPEndpoint, WebSocketEndpoint
from core.exceptions import HTTPException
from core.requests import Request
from core.responses import PlainTextResponse, Response
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

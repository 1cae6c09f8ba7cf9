"""Websockets: the order of messages, and what happens out of order."""

from __future__ import annotations

from typing import Any

import pytest

from core.responses import PlainTextResponse
from core.types import Message
from core.websockets import (
    WebSocket,
    WebSocketClose,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)
from tests.core.connections import Sent, answer, http_scope, messages_of, websocket_scope

CONNECT: Message = {"type": "websocket.connect"}
DISCONNECT: Message = {"type": "websocket.disconnect", "code": 1001, "reason": "going"}


def text(data: str) -> Message:
    return {"type": "websocket.receive", "text": data}


def binary(data: bytes) -> Message:
    return {"type": "websocket.receive", "bytes": data, "text": None}


def websocket(*messages: Message, sent: Sent | None = None, **scope: Any) -> WebSocket:
    return WebSocket(websocket_scope(**scope), messages_of(CONNECT, *messages), sent or Sent())


async def accepted(*messages: Message, sent: Sent | None = None) -> WebSocket:
    connection = websocket(*messages, sent=sent)
    await connection.accept()
    return connection


def states_of(connection: WebSocket) -> tuple[WebSocketState, WebSocketState]:
    return connection.client_state, connection.application_state


def test_it_needs_a_scope_of_its_type() -> None:
    with pytest.raises(AssertionError):
        WebSocket(http_scope(), messages_of(), Sent())


async def test_accepting_receives_the_handshake_and_answers_it() -> None:
    sent = Sent()
    connection = websocket(sent=sent)
    assert states_of(connection) == (WebSocketState.CONNECTING, WebSocketState.CONNECTING)
    await connection.accept(subprotocol="chat", headers=[(b"x-a", b"1")])
    assert sent.messages == [{"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"x-a", b"1")]}]
    assert states_of(connection) == (WebSocketState.CONNECTED, WebSocketState.CONNECTED)


async def test_messages_are_text_bytes_or_json() -> None:
    connection = await accepted(text("a"), binary(b"b"), text('{"c": 1}'), binary(b"[2]"), text(""))
    assert await connection.receive_text() == "a"
    assert await connection.receive_bytes() == b"b"
    assert await connection.receive_json() == {"c": 1}
    assert await connection.receive_json(mode="binary") == [2]
    assert await connection.receive_text() == ""


async def test_what_is_sent_is_text_bytes_or_compact_json() -> None:
    sent = Sent()
    connection = await accepted(sent=sent)
    await connection.send_text("a")
    await connection.send_bytes(b"b")
    await connection.send_json({"c": "ä"})
    await connection.send_json([1], mode="binary")
    assert [message.get("text", message.get("bytes")) for message in sent.messages[1:]] == [
        "a", b"b", '{"c":"ä"}', b"[1]",
    ]  # fmt: skip


async def test_json_has_two_modes() -> None:
    connection = await accepted()
    with pytest.raises(RuntimeError, match='"text" or "binary"'):
        await connection.receive_json(mode="other")
    with pytest.raises(RuntimeError, match='"text" or "binary"'):
        await connection.send_json(1, mode="other")


async def test_iterators_end_when_the_client_leaves() -> None:
    assert [item async for item in (await accepted(text("a"), text("b"), DISCONNECT)).iter_text()] == ["a", "b"]
    assert [item async for item in (await accepted(binary(b"a"), DISCONNECT)).iter_bytes()] == [b"a"]
    assert [item async for item in (await accepted(text("1"), DISCONNECT)).iter_json()] == [1]


async def test_a_client_that_leaves_raises_its_code_and_reason() -> None:
    connection = await accepted(DISCONNECT)
    with pytest.raises(WebSocketDisconnect) as caught:
        await connection.receive_text()
    assert (caught.value.code, caught.value.reason) == (1001, "going")
    assert connection.client_state is WebSocketState.DISCONNECTED
    with pytest.raises(WebSocketDisconnected, match='"receive" once a disconnect'):
        await connection.receive()


@pytest.mark.parametrize(("method", "message"), [("receive_text", binary(b"a")), ("receive_bytes", text("a"))])
async def test_a_message_of_the_wrong_kind_ends_the_connection(method: str, message: Message) -> None:
    sent = Sent()
    connection = await accepted(message, sent=sent)
    with pytest.raises(WebSocketDisconnect) as caught:
        await getattr(connection, method)()
    assert caught.value.code == 1003
    assert sent.messages[-1] == {"type": "websocket.close", "code": 1003, "reason": ""}


@pytest.mark.parametrize("method", ["receive_text", "receive_bytes", "receive_json"])
async def test_receiving_needs_an_accepted_connection(method: str) -> None:
    with pytest.raises(WebSocketDisconnected, match='Need to call "accept" first'):
        await getattr(websocket(), method)()


async def test_nothing_is_sent_after_the_close() -> None:
    connection = await accepted()
    await connection.close(code=1000, reason="done")
    with pytest.raises(WebSocketDisconnected, match='"send" once a close'):
        await connection.send_text("late")
    with pytest.raises(WebSocketDisconnected):
        await connection.close()


@pytest.mark.parametrize("message", [{"type": "websocket.send", "text": "a"}, {"type": "http.response.start"}])
async def test_messages_out_of_order_are_refused_before_they_are_sent(message: Message) -> None:
    sent = Sent()
    with pytest.raises(RuntimeError, match=r"Expected ASGI message .*but got"):
        await websocket(sent=sent).send(message)
    with pytest.raises(RuntimeError, match=r"Expected ASGI message .*but got"):
        await (await accepted(sent=sent)).send({"type": "websocket.accept"})
    assert [message["type"] for message in sent.messages] == ["websocket.accept"]


async def test_a_server_that_sends_out_of_order_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"websocket\.connect"):
        await WebSocket(websocket_scope(), messages_of(text("a")), Sent()).accept()
    with pytest.raises(RuntimeError, match=r"websocket\.receive"):
        await (await accepted(CONNECT)).receive_text()


async def test_a_send_that_fails_is_a_lost_connection() -> None:
    async def send(message: Message) -> None:
        if message["type"] != "websocket.accept":
            raise OSError("gone")

    connection: WebSocket = WebSocket(websocket_scope(), messages_of(CONNECT, DISCONNECT), send)
    await connection.accept()
    with pytest.raises(WebSocketDisconnect) as caught:
        await connection.send_text("a")
    assert caught.value.code == 1006
    assert connection.application_state is WebSocketState.DISCONNECTED


async def test_closing_after_the_client_has_is_no_error() -> None:
    async def send(message: Message) -> None:
        if message["type"] == "websocket.close":
            raise OSError("gone")

    connection: WebSocket = WebSocket(websocket_scope(), messages_of(CONNECT, DISCONNECT), send)
    await connection.accept()
    with pytest.raises(WebSocketDisconnect):
        await connection.receive_text()
    await connection.close()
    assert connection.application_state is WebSocketState.DISCONNECTED


async def test_a_denial_is_a_whole_response() -> None:
    sent = Sent()
    connection = websocket(sent=sent, extensions={"websocket.http.response": {}})
    await connection.send_denial_response(PlainTextResponse("no", 403))
    assert (sent.status, sent.body) == (403, b"no")
    assert connection.application_state is WebSocketState.DISCONNECTED


async def test_during_a_denial_only_its_body_may_follow() -> None:
    connection = websocket()
    await connection.send({"type": "websocket.http.response.start", "status": 403, "headers": []})
    assert connection.application_state is WebSocketState.RESPONSE
    with pytest.raises(RuntimeError, match=r"response\.body"):
        await connection.close()
    await connection.send({"type": "websocket.http.response.body", "body": b"a", "more_body": True})
    await connection.send({"type": "websocket.http.response.body", "body": b"b"})
    with pytest.raises(WebSocketDisconnected):
        await connection.send({"type": "websocket.http.response.body", "body": b"c"})


async def test_a_server_may_not_support_denials() -> None:
    with pytest.raises(RuntimeError, match="Denial Response"):
        await websocket().send_denial_response(PlainTextResponse("no"))


async def test_an_application_may_only_close() -> None:
    assert (await answer(WebSocketClose(1008, "policy"))).messages == [
        {"type": "websocket.close", "code": 1008, "reason": "policy"}
    ]
    assert WebSocketDisconnect().code == 1000


async def test_a_connection_is_accepted_also_when_its_first_message_was_received_by_hand() -> None:
    sent = Sent()
    websocket = WebSocket(websocket_scope(), messages_of(CONNECT), sent)

    assert await websocket.receive() == CONNECT
    await websocket.accept()

    assert sent.messages == [{"type": "websocket.accept", "subprotocol": None, "headers": []}]


async def test_closing_tells_of_a_client_whose_leaving_was_not_seen() -> None:
    async def send(message: Message) -> None:
        if message["type"] == "websocket.close":
            raise OSError

    websocket = WebSocket(websocket_scope(), messages_of(CONNECT), send)
    await websocket.accept()

    with pytest.raises(WebSocketDisconnect):
        await websocket.close()

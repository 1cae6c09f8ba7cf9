"""FastAPI on core: websockets."""

from typing import Annotated

import pytest
from fastapi import Cookie, Depends, FastAPI, Query, WebSocket, WebSocketDisconnect, WebSocketException, status
from fastapi.testclient import TestClient

app = FastAPI()


@pytest.fixture
def client() -> TestClient:
    return TestClient(app)


async def token_of(
    websocket: WebSocket, session: Annotated[str | None, Cookie()] = None, token: Annotated[str | None, Query()] = None
) -> str:
    if session is None and token is None:
        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION, reason="no token")
    return session or token or ""


@app.websocket("/items/{item}/ws")
async def talk(websocket: WebSocket, item: str, token: Annotated[str, Depends(token_of)], q: int = 0) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_json({"item": item, "token": token, "q": q, "text": text})


def test_parameters_and_dependencies_of_a_websocket(client: TestClient) -> None:
    with client.websocket_connect("/items/sail/ws?token=abc&q=3") as session:
        session.send_text("ahoy")
        assert session.receive_json() == {"item": "sail", "token": "abc", "q": 3, "text": "ahoy"}


def test_a_dependency_refuses_a_handshake(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/items/sail/ws"):
        pass
    assert (refused.value.code, refused.value.reason) == (1008, "no token")


def test_parameters_that_do_not_fit_close_the_websocket(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/items/sail/ws?token=abc&q=three"):
        pass
    assert refused.value.code == 1008


people: list[WebSocket] = []


@app.websocket("/chat/{name}")
async def chat(websocket: WebSocket, name: str) -> None:
    await websocket.accept()
    people.append(websocket)
    try:
        async for text in websocket.iter_text():
            for person in people:
                await person.send_text(f"{name}: {text}")
    finally:
        people.remove(websocket)
        for person in people:
            await person.send_text(f"{name} left")


def test_several_clients_talk_to_each_other() -> None:
    with TestClient(app) as client, client.websocket_connect("/chat/ada") as ada:
        with client.websocket_connect("/chat/grace") as grace:
            grace.send_text("hello")
            assert grace.receive_text() == ada.receive_text() == "grace: hello"
        assert ada.receive_text() == "grace left"


@app.websocket("/bytes")
async def echo_bytes(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="echo")
    await websocket.send_bytes(await websocket.receive_bytes())
    await websocket.close(code=1001, reason="done")


def test_bytes_subprotocols_and_a_close_with_a_reason(client: TestClient) -> None:
    with client.websocket_connect("/bytes", subprotocols=["echo"]) as session:
        assert session.accepted_subprotocol == "echo"
        session.send_bytes(b"\x00\x01")
        assert session.receive_bytes() == b"\x00\x01"
        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_text()
    assert (closed.value.code, closed.value.reason) == (1001, "done")


@app.websocket("/for-ever")
async def listen_for_ever(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.receive_text()


def test_a_handler_that_goes_on_reading_learns_that_its_client_left(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/for-ever") as session:
        session.close(1001)

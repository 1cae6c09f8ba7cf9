import threading
import zlib
from collections.abc import AsyncIterator

import pytest

from core.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder
from core.responses import PlainTextResponse, Response, StreamingResponse
from core.testclient import AsyncTestClient, TestClient
from core.types import ASGIApp, Message, Receive, Scope, Send
from tests.core.connections import Sent, body_of, http_scope

TEXT = "Slipway " * 200


def client(app: ASGIApp) -> TestClient:
    return TestClient(GZipMiddleware(app))


ACCEPTED = {
    "gzip": True,
    "GZIP": True,
    "br, gzip": True,
    "gzip;q=0.5, br": True,
    "*": True,
    "gzip;q=0": False,
    "gzip; q=0.000": False,
    "*;q=0": False,
    "gzip;q=0, *": False,
    "*;q=0, gzip": True,
    "x-gzip2": False,
    "notgzip": False,
    "identity": False,
    "": False,
    "gzip;q=junk": False,
    ";;;,,,=": False,
}


@pytest.mark.parametrize("accept_encoding", ACCEPTED)
def test_the_client_decides_by_its_weights(accept_encoding: str) -> None:
    response = client(PlainTextResponse(TEXT)).get("/", headers={"accept-encoding": accept_encoding})

    assert response.text == TEXT
    assert ("content-encoding" in response.headers) == ACCEPTED[accept_encoding]
    assert response.headers["vary"] == "Accept-Encoding"


def test_a_compressed_response_has_its_own_length() -> None:
    response = client(PlainTextResponse(TEXT)).get("/")

    assert int(response.headers["content-length"]) < len(TEXT)
    assert response.headers["content-encoding"] == "gzip"


UNTOUCHED: dict[str, Response] = {
    "small": PlainTextResponse("small"),
    "encoded": PlainTextResponse(TEXT, headers={"content-encoding": "br"}),
    "partial": PlainTextResponse(TEXT, status_code=206),
    "picture": Response(TEXT, media_type="image/png"),
    "film": Response(TEXT, media_type="video/mp4"),
    "typed": Response(TEXT, media_type="Application/ZIP; charset=binary"),
    "events": Response(TEXT, media_type="text/event-stream"),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_what_gains_nothing_is_left_alone(case: str) -> None:
    with client(UNTOUCHED[case]).stream("GET", "/") as response:
        body = b"".join(response.iter_raw())

    assert body == UNTOUCHED[case].body
    assert "vary" not in response.headers
    assert response.headers["content-length"] == str(len(body))


def test_a_stream_of_parts_is_flushed_part_by_part() -> None:
    async def parts() -> AsyncIterator[str]:
        yield "first "
        yield "second"

    with client(StreamingResponse(parts())).stream("GET", "/") as response:
        raw = response.iter_raw()
        decompress = zlib.decompressobj(31)
        assert decompress.decompress(next(raw)) == b"first "
        assert decompress.decompress(next(raw)) == b"second"
    assert "content-length" not in response.headers


async def test_events_leave_at_once_even_from_a_slow_source() -> None:
    """Compressing an event stream held events back in proxies and browsers."""

    async def events() -> AsyncIterator[str]:
        yield "data: 1\n\n"

    app = GZipMiddleware(StreamingResponse(events(), media_type="text/event-stream"))
    async with AsyncTestClient(app).stream("GET", "/") as response:
        assert [part async for part in response.aiter_raw()] == [b"data: 1\n\n"]


class ThreadNoting(GZipResponder):
    thread = 0

    def _compress(self, body: bytes, more_body: bool) -> bytes:
        self.thread = threading.get_ident()
        return super()._compress(body, more_body)


@pytest.mark.parametrize(("size", "in_loop"), [(999, True), (1000, False)])
async def test_large_parts_are_compressed_in_a_thread_so_that_the_loop_stays_free(size: int, in_loop: bool) -> None:
    responder = ThreadNoting(PlainTextResponse("x" * size), 500, 9, 1000)
    response = await AsyncTestClient(responder).get("/")

    assert response.text == "x" * size
    assert (responder.thread == threading.get_ident()) == in_loop


def test_trailers_exclude_a_length() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", str(len(TEXT)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": True})
        await send({"type": "http.response.body", "body": TEXT.encode()})
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]})

    response = client(app).get("/")

    assert response.text == TEXT
    assert "content-length" not in response.headers
    assert response.extensions["http.response.trailers"] == [(b"x-sum", b"1")]


def test_a_response_without_headers_is_legal() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": TEXT.encode()})

    assert client(app).get("/").text == TEXT


async def test_a_file_sent_by_its_path_passes_with_its_head_before_it() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/srv/file"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    for accepted in (b"gzip", b"identity"):
        sent.clear()
        await GZipMiddleware(app)({"type": "http", "headers": [(b"accept-encoding", accepted)]}, receive, send)
        assert [message["type"] for message in sent] == ["http.response.start", "http.response.pathsend"]
        assert sent[0]["headers"] == []


def test_a_client_without_gzip_gets_the_body_as_it_is() -> None:
    response = TestClient(IdentityResponder(PlainTextResponse(TEXT), 500)).get("/")

    assert (response.text, response.headers["vary"]) == (TEXT, "Accept-Encoding")


def test_a_huge_header_of_alternatives_is_read_only_so_far() -> None:
    response = client(PlainTextResponse(TEXT)).get("/", headers={"accept-encoding": "br," * 20_000 + "gzip"})

    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize("announced", [b"", b"3", b"9" * 5000])
async def test_the_announced_length_only_saves_waiting_for_the_body(accepted: str, announced: bytes) -> None:
    """An application that announces another length than it sends is answered for by the server."""
    fields = [(b"content-length", announced)] if announced else []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        assert (len(sent.messages) == 1) == (announced == b"3")
        await send({"type": "http.response.body", "body": b"abc"})

    sent = Sent()
    await GZipMiddleware(app)(http_scope(headers={"accept-encoding": accepted}), body_of(b""), sent)

    assert (sent.body, sent.messages[0]["headers"]) == (b"abc", fields)

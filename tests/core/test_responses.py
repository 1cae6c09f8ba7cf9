"""Responses: what is sent for each kind, and how sending ends."""

from __future__ import annotations

import datetime
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from email import message_from_bytes
from email.message import Message as EmailMessage
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import anyio
import pytest

from core._files import parse_ranges
from core.background import BackgroundTask
from core.datastructures import URL
from core.requests import ClientDisconnect
from core.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RangeNotSatisfiable,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from core.types import Message, Scope
from tests.core.connections import Sent, answer, body_of, growth, http_scope, messages_of, websocket_scope


class TestResponse:
    async def test_text_and_bytes_are_sent_with_their_length_and_type(self) -> None:
        sent = await answer(Response("Köln", media_type="text/plain"))
        assert (sent.status, sent.body) == (200, "Köln".encode())
        assert sent.messages[0]["headers"] == [
            (b"content-length", b"5"),
            (b"content-type", b"text/plain; charset=utf-8"),
        ]
        assert (await answer(Response(b"\xff"))).headers == {"content-length": "1"}
        assert (await answer(Response())).headers == {"content-length": "0"}

    def test_given_headers_come_first_and_win(self) -> None:
        response = PlainTextResponse("a", headers={"X-A": "1", "Content-Length": "7", "Content-Type": "a/b"})
        assert response.raw_headers == [(b"x-a", b"1"), (b"content-length", b"7"), (b"content-type", b"a/b")]

    @pytest.mark.parametrize(
        ("media_type", "header"),
        [
            ("text/css", "text/css; charset=utf-8"),
            ("text/css; charset=latin-1", "text/css; charset=latin-1"),
            ("application/json", "application/json"),
        ],
    )
    def test_only_text_without_a_charset_gets_one(self, media_type: str, header: str) -> None:
        assert Response("a", media_type=media_type).headers["content-type"] == header

    @pytest.mark.parametrize("status_code", [100, 204, 304])
    def test_a_status_without_a_body_has_no_length(self, status_code: int) -> None:
        assert "content-length" not in Response(status_code=status_code).headers

    @pytest.mark.parametrize(
        "view",
        [memoryview(b"abcdef").cast("H"), memoryview(b"abcdef").cast("B", (2, 3)), memoryview(b"a-b-c-d-e-f")[::2]],
    )
    async def test_a_view_is_sent_by_its_bytes(self, view: memoryview) -> None:
        sent = await answer(Response(view))
        assert (sent.body, sent.headers["content-length"]) == (b"abcdef", "6")

    def test_the_headers_are_a_view_of_what_is_sent(self) -> None:
        response = Response("a")
        response.headers["X-A"] = "1"
        assert (b"x-a", b"1") in response.raw_headers

    @pytest.mark.parametrize("value", ["a\r\nset-cookie: b=1", "a\nb", "a\0b"])
    def test_cve_2020_7695_a_header_value_cannot_add_a_header(self, value: str) -> None:
        with pytest.raises(ValueError, match="line break"):
            Response(headers={"x": value})
        with pytest.raises(ValueError, match="line break"):
            Response(media_type=f"text/plain{value}")
        with pytest.raises(ValueError, match="line break"):
            Response().headers["x"] = value

    async def test_as_the_answer_to_a_websocket_it_is_a_denial(self) -> None:
        for response in (PlainTextResponse("no", 403), StreamingResponse(["n", "o"], 403)):
            sent = await answer(response, websocket_scope())
            assert sent.messages[0]["type"] == "websocket.http.response.start"
            assert {message["type"] for message in sent.messages[1:]} == {"websocket.http.response.body"}
            assert (sent.status, sent.body) == (403, b"no")


class TestKinds:
    def test_html_and_plain_text_name_their_type(self) -> None:
        assert HTMLResponse("<p>").headers["content-type"] == "text/html; charset=utf-8"
        assert PlainTextResponse("a").headers["content-type"] == "text/plain; charset=utf-8"

    def test_json_is_compact_and_in_utf_8(self) -> None:
        assert JSONResponse({"a": ["ä", None, 1]}).body == '{"a":["ä",null,1]}'.encode()
        assert JSONResponse(None).headers["content-type"] == "application/json"
        with pytest.raises(ValueError, match="JSON"):
            JSONResponse(float("nan"))

    def test_a_program_may_replace_the_json_function(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def shouting(content: Any, **options: Any) -> str:
            return f"{content}!{sorted(options)}"

        monkeypatch.setattr(json, "dumps", shouting)
        assert JSONResponse(1).body == b"1!['allow_nan', 'ensure_ascii', 'separators']"

    def test_a_redirect_escapes_what_would_break_its_header(self) -> None:
        response = RedirectResponse("/a b?c=%20&d=é\r\nx: 1\\", headers={"x-a": "1"})
        assert (response.status_code, response.headers["x-a"]) == (307, "1")
        assert response.headers["location"] == "/a%20b?c=%20&d=%C3%A9%0D%0Ax:%201%5C"
        assert RedirectResponse(URL("https://[::1]/"), 303).headers["location"] == "https://[::1]/"


class TestCookies:
    def test_the_attributes_are_written_in_a_fixed_order(self) -> None:
        response = Response()
        response.set_cookie(
            "a",
            "b",
            10,
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "/p",
            "example.com",
            secure=True,
            httponly=True,
            samesite="none",
        )
        assert response.headers["set-cookie"] == (
            "a=b; Domain=example.com; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=10; Path=/p; "
            "SameSite=none; Secure"
        )

    def test_cookies_are_added_and_values_are_quoted(self) -> None:
        response = Response()
        response.set_cookie("a", 'x; "y"', path=None, samesite=None)
        response.set_cookie("b")
        assert response.headers.getlist("set-cookie") == ['a="x\\073 \\"y\\""', 'b=""; Path=/; SameSite=lax']

    def test_an_expiry_is_a_utc_date_or_seconds_from_now(self) -> None:
        response = Response()
        response.set_cookie("a", expires=datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC))
        response.set_cookie("b", expires=0)
        first, second = response.headers.getlist("set-cookie")
        assert "expires=Wed, 02 Jan 2030 03:04:05 GMT" in first
        assert "expires=" in second
        with pytest.raises(ValueError, match="UTC"):
            response.set_cookie("a", expires=datetime.datetime(2030, 1, 1))

    def test_deleting_expires_it_at_once(self) -> None:
        response = Response()
        response.delete_cookie("a", path="/p", secure=True)
        cookie = response.headers["set-cookie"]
        assert cookie.startswith('a=""; expires=')
        assert cookie.endswith("; Max-Age=0; Path=/p; SameSite=lax; Secure")

    @pytest.mark.parametrize(
        "attributes", [{"path": "/; Domain=evil"}, {"domain": "a;b"}, {"path": "/\r\n"}, {"expires": "a; b"}, {"key": "a b"},
                       {"key": ""}, {"key": "a;b"}]
    )  # fmt: skip
    def test_an_attribute_cannot_add_another(self, attributes: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="Cookie"):
            Response().set_cookie(**{"key": "a", **attributes})

    def test_same_site_has_three_values(self) -> None:
        with pytest.raises(AssertionError):
            Response().set_cookie("a", samesite="loose")  # type: ignore[arg-type]

    @pytest.mark.skipif(sys.version_info >= (3, 14), reason="partitioned cookies are offered from Python 3.14 on")
    def test_partitioned_needs_a_newer_python(self) -> None:
        with pytest.raises(ValueError, match=r"3\.14"):
            Response().set_cookie("a", partitioned=True)


is_visited: ContextVar[bool] = ContextVar("is_visited", default=False)


async def numbers() -> AsyncIterator[str]:
    for number in range(3):
        yield str(number)


class TestStreaming:
    async def test_async_and_blocking_iterables_are_sent_piece_by_piece(self) -> None:
        blocking: list[str | bytes | memoryview] = ["0", b"1", memoryview(b"2")]
        for content in (numbers(), blocking):
            sent = await answer(StreamingResponse(content, media_type="text/plain"))
            assert sent.chunks == [b"0", b"1", b"2", b""]
            assert sent.headers == {"content-type": "text/plain; charset=utf-8"}
            assert [message.get("more_body") for message in sent.messages[1:]] == [True, True, True, False]

    async def test_every_item_of_a_long_blocking_iterable_arrives_in_order(self) -> None:
        items = [b"%d," % number for number in range(1000)]
        sent = await answer(StreamingResponse(iter(items)))
        assert sent.chunks[:-1] == items

    async def test_a_blocking_iterable_runs_in_threads_with_many_items_for_each_visit(self) -> None:
        visits, ahead = [], []
        produced = sent = 0

        def items() -> Iterator[bytes]:
            nonlocal produced
            for _ in range(1000):
                assert threading.current_thread() is not threading.main_thread()
                if not is_visited.get():
                    # Each visit to a thread has a copy of the context of its own.
                    is_visited.set(True)
                    visits.append(1)
                produced += 1
                yield b"x"

        async def send(message: Message) -> None:
            nonlocal sent
            sent += 1
            ahead.append(produced - sent)

        await StreamingResponse(items())(http_scope(), body_of(b""), send)
        assert len(visits) < 500
        assert max(ahead) <= 64

    async def test_an_item_does_not_wait_for_the_next_one(self) -> None:
        """A source that waits for each item's arrival before it makes the next one would otherwise hang."""
        arrivals: SimpleQueue[bytes] = SimpleQueue()

        def items() -> Iterator[bytes]:
            for item in (b"1", b"2", b"3", b"4"):
                yield item
                assert arrivals.get(timeout=10) == item

        async def send(message: Message) -> None:
            if message.get("body"):
                arrivals.put(message["body"])

        await StreamingResponse(items())(http_scope(), body_of(b""), send)
        assert arrivals.empty()

    async def test_a_file_is_read_in_blocks_rather_than_lines(self) -> None:
        sent = await answer(StreamingResponse(BytesIO(b"\n" * 100_000)))
        assert [len(chunk) for chunk in sent.chunks] == [65536, 34464, 0]

    @pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
    async def test_an_error_of_the_source_is_raised_as_it_is(self, spec_version: str) -> None:
        def blocking() -> Iterator[bytes]:
            yield b"before"
            raise ZeroDivisionError

        async def async_source() -> AsyncIterator[bytes]:
            yield b"before"
            raise ZeroDivisionError

        for content in (blocking(), async_source()):
            sent = Sent()
            with pytest.raises(ZeroDivisionError):
                await StreamingResponse(content)(scope_of(spec_version), body_of(b""), sent)
            assert sent.chunks == [b"before"]

    async def test_a_replaced_iterator_is_the_one_that_is_sent(self) -> None:
        response = StreamingResponse([b"old"])
        response.body_iterator = numbers()
        assert (await answer(response)).body == b"012"

    async def test_the_iterator_of_blocking_content_can_be_read_by_others(self) -> None:
        assert [item async for item in StreamingResponse([b"a", b"b"]).body_iterator] == [b"a", b"b"]


def scope_of(spec_version: str, **more: Any) -> Scope:
    return http_scope(asgi={"version": "3.0", "spec_version": spec_version}, **more)


async def for_ever() -> AsyncIterator[bytes]:
    while True:
        await anyio.lowlevel.checkpoint()
        yield b"x"


class TestDisconnection:
    async def test_a_send_that_fails_is_a_disconnection(self) -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                raise OSError("gone")

        for content in (for_ever(), iter([b"x"] * 10)):
            with pytest.raises(ClientDisconnect):
                await StreamingResponse(content)(scope_of("2.4"), body_of(b""), send)

    async def test_before_asgi_2_4_the_stream_stops_when_the_client_leaves(self) -> None:
        sent, done = Sent(), []

        async def background() -> None:
            done.append("background")

        receive = messages_of({"type": "http.request", "body": b""}, {"type": "http.disconnect"})
        await StreamingResponse(for_ever(), background=BackgroundTask(background))(scope_of("2.3"), receive, sent)
        assert done == ["background"]
        assert all(message.get("more_body", True) for message in sent.messages)

    async def test_before_asgi_2_4_a_file_stops_when_the_client_leaves(self, tmp_path: Path) -> None:
        file = tmp_path / "large"
        file.write_bytes(b"x" * 1_000_000)
        sent = Sent()

        async def slow(message: Message) -> None:
            await sent(message)
            await anyio.lowlevel.checkpoint()

        await FileResponse(file)(scope_of("2.3"), messages_of({"type": "http.disconnect"}), slow)
        assert len(sent.body) < 1_000_000


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "letters.txt"
    path.write_bytes(b"abcdefghijklmnopqrstuvwxyz")
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(300_000))
    return path


class TestFile:
    async def test_it_is_sent_with_its_type_length_date_and_tag(self, letters: Path) -> None:
        sent = await answer(FileResponse(letters))
        assert (sent.status, sent.body) == (200, letters.read_bytes())
        assert sent.headers["content-type"] == "text/plain; charset=utf-8"
        assert (sent.headers["content-length"], sent.headers["accept-ranges"]) == ("26", "bytes")
        assert sent.headers["last-modified"].endswith("GMT")
        assert sent.headers["etag"].startswith('"')
        assert "content-disposition" not in sent.headers

    async def test_a_large_one_is_sent_in_chunks(self, large: Path) -> None:
        sent = await answer(FileResponse(large))
        assert sent.body == large.read_bytes()
        assert [len(chunk) for chunk in sent.chunks] == [65536] * 4 + [37856]
        assert sent.headers["content-type"] == "application/octet-stream"

    async def test_an_empty_one_has_an_empty_body(self, tmp_path: Path) -> None:
        path = tmp_path / "empty"
        path.touch()
        sent = await answer(FileResponse(path))
        assert (sent.headers["content-length"], sent.body) == ("0", b"")
        assert (await answer(FileResponse(path), http_scope(headers={"range": "bytes=0-"}))).status == 416

    async def test_given_headers_win(self, letters: Path) -> None:
        sent = await answer(FileResponse(letters, headers={"ETag": '"mine"', "Content-Type": "a/b"}))
        assert (sent.headers["etag"], sent.headers["content-type"]) == ('"mine"', "a/b")

    @pytest.mark.parametrize(
        ("filename", "disposition"),
        [
            ("a.txt", 'attachment; filename="a.txt"'),
            ("Köln.txt", "attachment; filename*=utf-8''K%C3%B6ln.txt"),
            ('a"; x="b', "attachment; filename*=utf-8''a%22%3B%20x%3D%22b"),
        ],
    )
    async def test_a_name_makes_it_a_download(self, letters: Path, filename: str, disposition: str) -> None:
        sent = await answer(FileResponse(letters, filename=filename))
        assert sent.headers["content-disposition"] == disposition

    async def test_it_may_be_shown_in_the_page_instead(self, letters: Path) -> None:
        sent = await answer(FileResponse(letters, filename="a.txt", content_disposition_type="inline"))
        assert sent.headers["content-disposition"] == 'inline; filename="a.txt"'

    async def test_head_gets_the_headers_alone(self, letters: Path, large: Path) -> None:
        for path in (letters, large):
            sent = await answer(FileResponse(path), http_scope("HEAD"))
            assert (sent.headers["content-length"], sent.body) == (str(path.stat().st_size), b"")

    async def test_what_is_no_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="does not exist"):
            await answer(FileResponse(tmp_path / "nothing"))
        with pytest.raises(RuntimeError, match="is not a file"):
            await answer(FileResponse(tmp_path))

    async def test_a_server_that_can_is_given_the_path(self, letters: Path) -> None:
        scope = http_scope(extensions={"http.response.pathsend": {}})
        assert (await answer(FileResponse(letters), scope)).messages[1] == {
            "type": "http.response.pathsend", "path": str(letters),
        }  # fmt: skip
        scope["headers"] = [(b"range", b"bytes=0-1")]
        assert (await answer(FileResponse(letters), scope)).body == b"ab"

    async def test_it_can_deny_a_websocket(self, letters: Path, large: Path) -> None:
        for path in (letters, large):
            sent = await answer(FileResponse(path, 403), websocket_scope())
            assert (sent.messages[0]["type"], sent.body) == ("websocket.http.response.start", path.read_bytes())

    async def test_its_file_is_closed_before_the_background_task_and_after_a_failure(self, large: Path) -> None:
        open_files: list[int] = []

        def count_open_files() -> None:
            descriptors = Path("/proc/self/fd")
            open_files.append(sum(link.is_symlink() and link.readlink() == large for link in descriptors.iterdir()))

        async def refuse(message: Message) -> None:
            raise OSError("gone")

        await answer(FileResponse(large, background=BackgroundTask(count_open_files)))
        with pytest.raises(OSError, match="gone"):
            await FileResponse(large)(http_scope(), body_of(b""), refuse)
        count_open_files()
        assert open_files == [0, 0]

    async def test_a_file_that_has_shrunk_is_an_error_and_not_an_endless_loop(self, large: Path, letters: Path) -> None:
        for path in (large, letters):
            response = FileResponse(path, stat_result=path.stat())
            path.write_bytes(b"short")
            with pytest.raises(RuntimeError, match="shorter than expected"):
                await answer(response)


class TestRanges:
    @pytest.mark.parametrize(
        ("wanted", "content_range", "body"),
        [
            ("bytes=0-2", "bytes 0-2/26", b"abc"),
            ("BYTES=23-", "bytes 23-25/26", b"xyz"),
            ("bytes=-2", "bytes 24-25/26", b"yz"),
            ("bytes=-100", "bytes 0-25/26", b"abcdefghijklmnopqrstuvwxyz"),
            ("bytes=20-100", "bytes 20-25/26", b"uvwxyz"),
            ("bytes=0-2, 3-4", "bytes 0-4/26", b"abcde"),
            ("bytes=3-6, 0-4", "bytes 0-6/26", b"abcdefg"),
        ],
    )
    async def test_one_range_is_a_partial_answer(
        self, letters: Path, wanted: str, content_range: str, body: bytes
    ) -> None:
        response = FileResponse(letters)
        sent = await answer(response, http_scope(headers={"range": wanted}))
        assert (sent.status, sent.headers["content-range"], sent.body) == (206, content_range, body)
        assert sent.headers["content-length"] == str(len(body))
        assert (await answer(response)).body == letters.read_bytes()

    @pytest.mark.parametrize("wanted", ["bytes=1-2,5-6,-1", "bytes=-1,5-6,1-2"])
    async def test_several_ranges_are_parts_of_a_multipart_body(self, letters: Path, wanted: str) -> None:
        sent = await answer(FileResponse(letters), http_scope(headers={"range": wanted}))
        head = f"Content-Type: {sent.headers['content-type']}\r\n\r\n".encode()
        parts = cast("list[EmailMessage[str, str]]", message_from_bytes(head + sent.body).get_payload())
        assert sent.status == 206
        assert sent.headers["content-length"] == str(len(sent.body))
        assert [(part["content-range"], part.get_payload()) for part in parts] == [
            ("bytes 1-2/26", "bc"),
            ("bytes 5-6/26", "fg"),
            ("bytes 25-25/26", "z"),
        ]

    async def test_ranges_of_a_large_file_are_read_where_they_are(self, large: Path) -> None:
        scope = http_scope(headers={"range": "bytes=10-19,200000-299999"})
        sent = await answer(FileResponse(large), scope)
        assert sent.headers["content-length"] == str(len(sent.body))
        assert large.read_bytes()[200000:] in sent.body
        assert sent.messages[-1]["more_body"] is False

    @pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=-", "bytes=1"])
    async def test_what_cannot_be_read_is_a_bad_request(self, letters: Path, wanted: str) -> None:
        assert (await answer(FileResponse(letters), http_scope(headers={"range": wanted}))).status == 400

    @pytest.mark.parametrize("wanted", ["bytes=26-", "bytes=0-1,30-40", f"bytes={'9' * 5000}-"])
    async def test_a_range_behind_the_end_is_not_satisfiable(self, letters: Path, wanted: str) -> None:
        sent = await answer(FileResponse(letters), http_scope(headers={"range": wanted}))
        assert (sent.status, sent.headers["content-range"]) == (416, "bytes */26")

    async def test_other_methods_and_statuses_have_no_ranges(self, letters: Path) -> None:
        scope = http_scope("POST", headers={"range": "bytes=0-1"})
        assert (await answer(FileResponse(letters), scope)).status == 200
        assert (await answer(FileResponse(letters, 404), {**scope, "method": "GET"})).body == letters.read_bytes()

    async def test_if_range_takes_the_exact_tag_or_date(self, letters: Path) -> None:
        headers = (await answer(FileResponse(letters))).headers
        for validator in (headers["etag"], headers["last-modified"]):
            scope = http_scope(headers={"range": "bytes=0-1", "if-range": validator})
            assert (await answer(FileResponse(letters), scope)).status == 206
        for validator in (f"W/{headers['etag']}", '"other"', "Thu, 01 Jan 1970 00:00:00 GMT"):
            scope = http_scope(headers={"range": "bytes=0-1", "if-range": validator})
            assert (await answer(FileResponse(letters), scope)).status == 200

    async def test_a_weak_tag_of_its_own_never_matches(self, letters: Path) -> None:
        scope = http_scope(headers={"range": "bytes=0-1", "if-range": 'W/"a"'})
        assert (await answer(FileResponse(letters, headers={"etag": 'W/"a"'}), scope)).status == 200

    async def test_cve_2025_62727_too_many_ranges_are_the_whole_file(self, letters: Path) -> None:
        hundred = ",".join(["0-0"] * 100)
        assert (await answer(FileResponse(letters), http_scope(headers={"range": f"bytes={hundred}"}))).status == 206
        more = http_scope(headers={"range": f"bytes={hundred},0-0"})
        assert (await answer(FileResponse(letters), more)).status == 200

    def test_cve_2025_62727_ranges_are_joined_in_linear_time(self) -> None:
        def parse(count: int) -> None:
            parse_ranges("bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(count)), 10**9, most=10**9)

        assert growth(parse, 1000) < 10
        assert parse_ranges("bytes=0-1,2-3,5-6,1-2", 10, most=100) == [(0, 4), (5, 7)]
        with pytest.raises(RangeNotSatisfiable):
            parse_ranges("bytes=10-", 10, most=100)


def test_a_value_that_contains_itself_is_refused_as_json_refuses_it() -> None:
    value: list[Any] = []
    value.append(value)

    with pytest.raises(ValueError, match="Circular reference"):
        JSONResponse(value)

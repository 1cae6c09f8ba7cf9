"""Connections and requests: what they say, and how their body is read."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import weakref
from typing import Any

import anyio
import pytest

from core.datastructures import FormData, State, UploadFile, URLPath
from core.exceptions import HTTPException
from core.formparsers import MultiPartException
from core.middleware.body_limit import RequestBodyLimitMiddleware
from core.requests import ClientDisconnect, HTTPConnection, InvalidJSON, Request, cookie_parser
from core.types import Message, Receive, Scope, Send
from tests.core.connections import Sent, body_of, growth, http_scope, messages_of, websocket_scope

FORM = {"content-type": "application/x-www-form-urlencoded"}


def request(body: bytes = b"", headers: dict[str, str] | None = None, **scope: Any) -> Request:
    return Request(http_scope("POST", headers=headers, **scope), body_of(body))


class TestConnection:
    def test_it_is_a_mapping_over_its_scope_and_equal_to_itself_alone(self) -> None:
        scope = http_scope()
        connection: HTTPConnection = HTTPConnection(scope)
        assert dict(connection) == scope
        assert len(connection) == len(scope)
        assert connection != HTTPConnection(scope)
        assert connection in {connection}

    def test_it_needs_a_scope_of_its_type(self) -> None:
        with pytest.raises(AssertionError):
            HTTPConnection({"type": "lifespan"})
        with pytest.raises(AssertionError):
            Request(websocket_scope())

    def test_the_parts_of_the_request_are_read_from_the_scope(self) -> None:
        scope = http_scope("PUT", "/a", {"X-Name": "ada"}, query_string=b"b=1", path_params={"id": 7})
        read: Request = Request({**scope, "client": ("192.0.2.1", 1234), "app": "the application"})
        assert (read.method, str(read.url)) == ("PUT", "http://testserver/a?b=1")
        assert (read.headers["x-name"], read.query_params["b"], read.path_params) == ("ada", "1", {"id": 7})
        assert (read.client and read.client.host, read.app) == ("192.0.2.1", "the application")
        assert (request().client, request().path_params) == (None, {})

    def test_the_base_url_is_that_of_the_outermost_application(self) -> None:
        scope = http_scope(path="/root/mount/a", root_path="/root/mount", query_string=b"a=1")
        assert Request(scope).base_url == "http://testserver/root/mount/"
        assert Request({**scope, "app_root_path": "/root"}).base_url == "http://testserver/root/"

    def test_cookies_of_several_headers_are_merged(self) -> None:
        scope = http_scope()
        scope["headers"] = [(b"cookie", b"a=1; b=2"), (b"cookie", b"b=3")]
        assert Request(scope).cookies == {"a": "1", "b": "3"}

    def test_state_is_shared_by_all_connections_over_a_scope(self) -> None:
        scope = http_scope(state={"from": "lifespan"})
        first: Request[State] = Request(scope)
        first.state.user = "ada"
        assert Request(scope).state.user == "ada"
        assert scope["state"] == {"from": "lifespan", "user": "ada"}

    @pytest.mark.parametrize("name", ["session", "user", "auth"])
    def test_what_a_middleware_provides_names_the_middleware(self, name: str) -> None:
        with pytest.raises(AssertionError, match=f"Middleware must be installed to access request.{name}"):
            getattr(request(), name)
        assert getattr(Request({**http_scope(), name: {"a": 1}}), name) == {"a": 1}

    def test_reading_the_session_marks_it(self) -> None:
        class Session(dict[str, Any]):
            was_accessed = False

            def mark_accessed(self) -> None:
                self.was_accessed = True

        session = Session()
        assert request(session=session).session is session
        assert session.was_accessed

    def test_a_url_is_made_by_the_router_of_the_scope(self) -> None:
        class Router:
            def url_path_for(self, name: str, /, **params: Any) -> URLPath:
                return URLPath(f"/{name}/{params['id']}")

        assert request(router=Router()).url_for("user", id=1) == "http://testserver/user/1"
        with pytest.raises(RuntimeError, match="url_for"):
            request().url_for("user")


class TestCookies:
    @pytest.mark.parametrize(
        ("header", "cookies"),
        [
            ("a=1; b=2", {"a": "1", "b": "2"}),
            ("a=1; a=2", {"a": "2"}),
            ('a="b; c=d', {"a": '"b', "c": "d"}),
            ('a="x\\054y\\"z\\\\"', {"a": 'x,y"z\\'}),
            ("a=b=c;;  ;d = e ", {"a": "b=c", "d": "e"}),
            ("lonely", {"": "lonely"}),
            ("", {}),
            ("=; a=1", {"a": "1"}),
        ],
    )
    def test_any_header_is_read(self, header: str, cookies: dict[str, str]) -> None:
        assert cookie_parser(header) == cookies

    def test_cve_2024_7592_unquoting_takes_linear_time(self) -> None:
        assert growth(lambda size: cookie_parser('a="' + "\\\\" * size + '"'), 4000) < 10
        assert growth(lambda size: cookie_parser('a="' + "\\" * size + '"'), 4000) < 10

    def test_cve_2023_23934_a_nameless_cookie_does_not_stand_for_a_protected_one(self) -> None:
        assert "__Host-session" not in cookie_parser("=__Host-session=evil")

    def test_cve_aiohttp_2025_69230_bad_cookies_write_nothing_into_the_logs(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        assert cookie_parser("; ".join('bad cookie="\\' + chr(number) for number in range(256)))
        assert not caplog.records

    @pytest.mark.parametrize("blank", ["\x1f", "\x85", "\xa0", "\x0b"])
    def test_a_name_that_only_looks_blank_at_its_ends_is_not_the_protected_one(self, blank: str) -> None:
        header = f"{blank}__Host-session=evil; __Host-session{blank}=evil"
        assert "__Host-session" not in cookie_parser(header)
        assert cookie_parser(f"{header};\t__Host-session =good")["__Host-session"] == "good"

    def test_a_protected_cookie_that_comes_twice_is_ignored(self) -> None:
        assert cookie_parser("__Host-session=good; a=1; __Host-session=evil") == {"a": "1"}
        assert cookie_parser("__Secure-a=1; __secure-a=2; __Secure-a=3") == {"__secure-a": "2"}


class TestBody:
    async def test_it_is_read_at_once_or_in_pieces(self) -> None:
        assert await Request(http_scope(), body_of(b"ab", b"", b"cd")).body() == b"abcd"
        pieces = [piece async for piece in Request(http_scope(), body_of(b"ab", b"", b"cd")).stream()]
        assert pieces == [b"ab", b"cd", b""]

    async def test_streaming_after_reading_gives_the_body_again(self) -> None:
        read = request(b"abc")
        assert await read.body() == b"abc"
        assert [piece async for piece in read.stream()] == [b"abc", b""]

    async def test_reading_after_streaming_is_an_error(self) -> None:
        read = request(b"abc")
        assert [piece async for piece in read.stream()] == [b"abc", b""]
        with pytest.raises(RuntimeError, match="Stream consumed"):
            await read.body()
        with pytest.raises(RuntimeError, match="Stream consumed"):
            await anext(read.stream())

    async def test_a_client_that_leaves_ends_it(self) -> None:
        gone = messages_of({"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"})
        read: Request = Request(http_scope(), gone)
        with pytest.raises(ClientDisconnect):
            await read.body()
        assert await read.is_disconnected()

    async def test_two_requests_over_one_scope_share_it(self) -> None:
        scope, receive = http_scope("POST", headers=FORM), body_of(b"a=", b"1")
        assert await Request(scope, receive).body() == b"a=1"
        assert await Request(scope, receive).body() == b"a=1"
        assert await Request(scope).body() == b"a=1"
        assert (await Request(scope, receive).form())["a"] == "1"

    async def test_a_request_that_receives_from_elsewhere_reads_what_comes_from_there(self) -> None:
        scope = http_scope("POST")
        assert await Request(scope, body_of(b"compressed")).body() == b"compressed"
        assert await Request(scope, body_of(b"plain")).body() == b"plain"

    async def test_a_callable_that_passes_messages_on_shares_what_was_read(self) -> None:
        scope, receive = http_scope("POST"), body_of(b"abc")

        async def counting() -> Message:
            return await receive()

        class Counter:
            __wrapped__ = staticmethod(receive)

            async def count(self) -> Message:
                return await receive()

        counting.__wrapped__ = receive  # type: ignore[attr-defined]
        assert await Request(scope, receive).body() == b"abc"
        assert await Request(scope, counting).body() == b"abc"
        assert await Request(scope, Counter().count).body() == b"abc"

    async def test_a_limit_further_inside_sees_what_a_middleware_has_read(self) -> None:
        scope, receive = http_scope("POST", headers=FORM), body_of(b"a=1")

        async def handler(scope: Scope, receive: Receive, send: Send) -> None:
            assert (await Request(scope, receive).form())["a"] == "1"

        assert await Request(scope, receive).form()
        await RequestBodyLimitMiddleware(handler, 100)(scope, receive, Sent())

    async def test_without_a_channel_there_is_none(self) -> None:
        with pytest.raises(RuntimeError, match="Receive channel"):
            await Request(http_scope()).body()
        with pytest.raises(RuntimeError, match="Send channel"):
            await Request(http_scope(extensions={"http.response.push": {}})).send_push_promise("/")

    def test_many_small_pieces_take_linear_time(self) -> None:
        async def read(count: int) -> None:
            assert len(await Request(http_scope(), endless(count)).body()) == count

        assert growth(lambda size: anyio.run(read, size), 5000) < 10


def endless(count: int) -> Receive:
    left = count

    async def receive() -> Message:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b"x", "more_body": left > 0}

    return receive


class TestJSON:
    async def test_it_is_parsed_once(self) -> None:
        read = request(b'{"a": 1}')
        assert await read.json() == {"a": 1}
        assert await read.json() is await read.json()

    @pytest.mark.parametrize("body", [b' {"a": 1}', b'{"a": 1}\n', b"\t1 "])
    async def test_blanks_may_stand_around_it(self, body: bytes) -> None:
        assert await request(body).json() == json.loads(body)

    async def test_a_program_may_replace_the_reader(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json, "loads", lambda content: ["replaced", content])
        assert await request(b"1 ").json() == ["replaced", "1 "]

    @pytest.mark.parametrize("body", [b"{", b"1 2", b"", b"\xff", b"[" * 100_000, b"9" * 5000])
    async def test_invalid_json_is_a_bad_request_inside_an_application(self, body: bytes) -> None:
        with pytest.raises(HTTPException) as caught:
            await request(body, app=object()).json()
        assert caught.value.status_code == 400
        assert isinstance(caught.value, json.JSONDecodeError)

    async def test_and_a_plain_error_outside(self) -> None:
        with pytest.raises(json.JSONDecodeError) as caught:
            await request(b"{").json()
        assert not isinstance(caught.value, HTTPException)

    def test_the_error_says_where_and_can_be_pickled(self) -> None:
        error = InvalidJSON(json.JSONDecodeError("Expecting value", "[\n!", 2))
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made here
        assert (copy.status_code, copy.msg, copy.doc, copy.pos, copy.lineno, copy.colno) == (
            400, "Expecting value", "[\n!", 2, 2, 1,
        )  # fmt: skip


class TestForm:
    async def test_it_may_be_awaited_or_entered(self) -> None:
        assert await request(b"a=1&a=2&b=", FORM).form() == FormData([("a", "1"), ("a", "2"), ("b", "")])
        async with request(b"a=1", FORM).form() as form:
            assert form["a"] == "1"

    async def test_another_kind_of_body_is_an_empty_form(self) -> None:
        assert await request(b"a=1", {"content-type": "text/plain"}).form() == FormData()
        assert await request(b"a=1").form() == FormData()

    async def test_cve_aiohttp_2025_69223_a_compressed_body_is_not_expanded(self) -> None:
        compressed = gzip.compress(b"a=" + b"x" * 1_000_000)
        headers = {"content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"}
        form = await Request(http_scope("POST", headers=headers), body_of(compressed)).form()
        assert sum(len(name) + len(str(value)) for name, value in form.multi_items()) <= len(compressed)

    async def test_it_is_parsed_once_for_all_requests_of_the_scope(self) -> None:
        scope, receive = http_scope("POST", headers=FORM), body_of(b"a=1", b"&b=2")
        form = await Request(scope, receive).form()
        assert await Request(scope, receive).form(max_fields=1) is form

    async def test_the_body_of_a_urlencoded_form_can_still_be_read(self) -> None:
        for receive in (body_of(b"a=1"), body_of(b"a=", b"1"), body_of(b"")):
            read: Request = Request(http_scope("POST", headers=FORM), receive)
            form = await read.form()
            assert await read.body() == (b"a=1" if form else b"")

    async def test_its_files_are_closed_with_it(self) -> None:
        body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
        read = request(body, {"content-type": "multipart/form-data; boundary=x"})
        async with read.form() as form:
            upload = form["f"]
            assert isinstance(upload, UploadFile)
            assert await upload.read() == b"abc"
        assert upload.file.closed

    async def test_a_form_beyond_a_limit_is_a_bad_request_inside_an_application(self) -> None:
        with pytest.raises(HTTPException, match=r"400: Too many fields. Maximum number of fields is 1."):
            await request(b"a=1&b=2", FORM, app=object()).form(max_fields=1)
        with pytest.raises(MultiPartException, match="Too many fields"):
            await request(b"a=1&b=2", FORM).form(max_fields=1)


class TestDisconnection:
    async def test_asking_returns_at_once_and_loses_nothing(self) -> None:
        read = request(b"abc")
        assert not await read.is_disconnected()
        assert not await read.is_disconnected()
        assert await read.body() == b"abc"

    async def test_it_does_not_gather_an_upload_that_nobody_reads(self) -> None:
        asked = []

        async def receive() -> Message:
            asked.append(1)
            return {"type": "http.request", "body": b"x", "more_body": True}

        read: Request = Request(http_scope(), receive)
        for _ in range(10):
            assert not await read.is_disconnected()
        assert len(asked) == 1

    async def test_a_client_that_has_gone_is_seen_behind_an_unread_body(self) -> None:
        messages: list[Message] = [{"type": "http.request", "body": b"abc"}, {"type": "http.disconnect"}]
        read: Request = Request(http_scope(), messages_of(*messages))
        assert not await read.is_disconnected()
        assert await read.is_disconnected()


class TestServerExtensions:
    async def test_a_push_repeats_the_headers_on_which_it_may_depend(self) -> None:
        sent, scope = Sent(), http_scope(headers={"accept": "text/css", "cookie": "a=1"})
        await Request({**scope, "extensions": {"http.response.push": {}}}, send=sent).send_push_promise("/style.css")
        assert sent.messages == [
            {"type": "http.response.push", "path": "/style.css", "headers": [(b"accept", b"text/css")]}
        ]

    async def test_early_hints_carry_links(self) -> None:
        sent, scope = Sent(), http_scope(extensions={"http.response.early_hint": {}})
        await Request(scope, send=sent).send_early_hints("</a.css>; rel=preload", "</b.css>; rel=preload")
        assert sent.messages == [
            {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.css>; rel=preload"]}
        ]

    async def test_a_server_without_them_is_sent_nothing(self) -> None:
        scope: Scope = http_scope()
        sent = Sent()
        await Request(scope, send=sent).send_push_promise("/")
        await Request(scope, send=sent).send_early_hints("</a.css>")
        assert not sent.messages


class Exchange:
    """A request as servers keep it: an object with the scope, whose method receives."""

    def __init__(self) -> None:
        self.scope = http_scope("POST")

    async def receive(self) -> Message:
        return {"type": "http.request", "body": b"1"}


async def test_a_body_that_was_read_leaves_nothing_to_the_garbage_collector() -> None:
    exchange = Exchange()
    gone = weakref.ref(exchange)
    assert await Request(exchange.scope, exchange.receive).body() == b"1"
    assert not await Request(exchange.scope, exchange.receive).is_disconnected()

    del exchange

    assert gone() is None


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("text", ['{"name": "Åda"}', "[1]", "7", '"é"'])
async def test_json_is_read_in_every_encoding_that_pythons_own_reader_knows(encoding: str, text: str) -> None:
    body = text.encode(encoding)

    assert await Request(http_scope(), body_of(body)).json() == json.loads(body)


def test_a_part_of_a_request_is_described_at_its_class() -> None:
    assert HTTPConnection.base_url.__doc__ == "The address of the application's root, ending in a slash."

"""One target a parser: any bytes at all must give an answer or the documented refusal, and the answer must make sense.

The property tests run them on a few hundred inputs each, `python -m tests.fuzz` on as many as there is time for.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from core._accept import accepted_encodings
from core._files import MalformedRangeHeader, RangeNotSatisfiable, parse_ranges
from core._multipart import MultipartError, MultipartReader, PartHead, parse_parameters, read_part_head
from core._typed.inputs import require_bounds, require_json
from core.datastructures import URL, FormData, Headers, QueryParams, UploadFile
from core.formparsers import FormParser, MultiPartException, MultiPartParser
from core.middleware.proxy import ProxyHeadersMiddleware
from core.middleware.sessions import SessionMiddleware
from core.params import Body
from core.problems import Problem, prefers_html
from core.requests import HTTPConnection, cookie_parser
from core.staticfiles import StaticFiles
from core.types import Scope
from tests.fuzz.connection import conversation
from tests.fuzz.routing import check_routing

Target = Callable[[bytes], None]
T = TypeVar("T")
LIMITS = Body(max_depth=4, max_elements=20)
CONTENT_TYPE = b'multipart/form-data; boundary="edge"'
ROUTED_CHARACTERS = {character: f"%{ord(character):02X}" for character in [*map(chr, range(0x20)), *"\x7f?#\\"]}


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never has to wait: no event loop is needed to run one."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise AssertionError("It waits for something.")


def http(headers: list[tuple[bytes, bytes]], **more: Any) -> Scope:
    return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, **more}


def cookies(data: bytes) -> None:
    parsed = cookie_parser(data.decode("latin-1"))
    assert len(parsed) <= data.count(b";") + 1
    assert parsed == HTTPConnection(http([(b"cookie", data)])).cookies


def ranges(data: bytes) -> None:
    size, header = int.from_bytes(data[:2], "big"), data[2:].decode("latin-1")
    try:
        found = parse_ranges(header, size, 100)
    except (MalformedRangeHeader, RangeNotSatisfiable):
        return
    assert all(0 <= start < end <= size for start, end in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))


def parameters(data: bytes) -> None:
    value, found = parse_parameters(data)
    assert b";" not in value
    assert len(found) <= data.count(b"=")
    with contextlib.suppress(MultipartError):
        head = read_part_head(data)
        assert all(b"\r" not in value and b"\n" not in value for _, value in head.headers)
    with contextlib.suppress(Problem):
        require_json(data.decode("latin-1"))


def accept(data: bytes) -> None:
    codings = accepted_encodings([(b"accept-encoding", data)], ["br", "gzip"])
    assert codings in ([], ["br"], ["gzip"], ["br", "gzip"])
    assert prefers_html(data.decode("latin-1")) in (True, False)


def forwarded(data: bytes) -> None:
    addresses, _, scheme = data.partition(b"\n")
    headers = [(b"x-forwarded-for", addresses), (b"x-forwarded-proto", scheme)]
    scope = http(headers, scheme="http", client=("10.0.0.1", 1))

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        return None

    finish(ProxyHeadersMiddleware(app, ["10.0.0.0/8"])(scope, None, None))  # type: ignore[arg-type]  # no body is read
    assert str(ipaddress.ip_address(scope["client"][0])) == scope["client"][0]
    assert scope["scheme"] in ("http", "https")


def multipart(data: bytes) -> None:
    whole = read_multipart([data])
    assert read_multipart(data[start : start + 1] for start in range(len(data))) == whole
    assert read_multipart([data[: len(data) // 2], data[len(data) // 2 :]]) == whole


def read_multipart(pieces: Iterable[bytes]) -> list[tuple[PartHead, bytearray]] | None:
    """The parts with their contents joined, or None for what is no multipart body."""
    reader = MultipartReader(b"edge")
    parts: list[tuple[PartHead, bytearray]] = []
    try:
        for piece in pieces:
            for event in reader.feed(piece):
                if isinstance(event, bytes):
                    parts[-1][1].extend(event)
                elif event is not None:
                    parts.append((event, bytearray()))
        reader.finish()
    except MultipartError:
        return None
    return parts


def form(data: bytes) -> None:
    """A whole form, whose Content-Type ends at the first line break."""
    more, _, body = data.partition(b"\n")
    headers = Headers(raw=[(b"content-type", CONTENT_TYPE + more)])
    limits = {"max_fields": 4, "max_files": 4, "max_part_size": 1024}
    with contextlib.suppress(MultiPartException):
        parsed = finish(MultiPartParser(headers, one_piece(body), **limits).parse())
        check_form(parsed, largest=1024)
        finish(parsed.close())


def check_form(parsed: FormData, largest: int) -> None:
    texts = [value for _, value in parsed.multi_items() if not isinstance(value, UploadFile)]
    assert len(texts) <= 4
    assert all(len(text) <= largest for text in texts)


async def one_piece(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def urlencoded(data: bytes) -> None:
    """The same as the standard library, which takes another way."""
    text = data.decode("utf-8", "replace")
    expected = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="replace")
    parsed = finish(FormParser(Headers(), one_piece(data), max_fields=10_000).parse())
    assert parsed.multi_items() == expected
    assert QueryParams(text).multi_items() == expected
    assert QueryParams(str(QueryParams(data))) == QueryParams(data)


def conditional(data: bytes) -> None:
    tags, _, date = data.partition(b"\n")
    files = StaticFiles(directory=".", check_dir=False)
    ours = Headers({"etag": '"tag"', "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT"})
    by_tag = files.is_not_modified(ours, Headers(raw=[(b"if-none-match", tags), (b"if-modified-since", date)]))
    assert not by_tag or b'"tag"' in tags or tags.decode("latin-1").strip() == "*"
    assert files.is_not_modified(ours, Headers(raw=[(b"if-modified-since", date)])) in (True, False)


def urls(data: bytes) -> None:
    host, _, rest = data.partition(b"\n")
    raw_path, _, query = rest.partition(b"\n")
    path = "/" + raw_path.decode("utf-8", "replace")
    for server in (("testserver", 80), None):
        url = URL(scope=http([(b"host", host)], path=path, query_string=query, server=server))
        check_url(url, path)


def check_url(url: URL, path: str) -> None:
    routed = "".join(ROUTED_CHARACTERS.get(character, character) for character in path)
    assert url.path == routed or (not url.netloc and url.path == f"/%2F{routed[2:]}")
    read = urlsplit(str(url))
    assert (read.netloc, read.path, read.query, read.fragment) == (url.netloc, url.path, url.query, "")
    assert read.hostname == url.hostname
    assert read.port == url.port
    assert "@" not in url.netloc


def json_bounds(data: bytes) -> None:
    """Counting before parsing finds what parsing finds."""
    try:
        document = json.loads(data.decode(), object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        document = None
    depth, size = measure(document)
    is_within = depth <= LIMITS.max_depth and size <= LIMITS.max_elements
    try:
        require_bounds(data, LIMITS)
    except Problem:
        assert document is None or not is_within
    else:
        assert document is None or is_within


class Pairs(list[tuple[str, Any]]):
    """The members of an object, those of one name too."""


def measure(document: object) -> tuple[int, int]:
    """How deep it is nested, and its number of brackets that open and of commas."""
    if not isinstance(document, list):
        return 0, 0
    inner = [measure(value[1] if isinstance(document, Pairs) else value) for value in document]
    commas = max(len(document) - 1, 0)
    return 1 + max((depth for depth, _ in inner), default=0), 1 + commas + sum(size for _, size in inner)


def session(data: bytes) -> None:
    """Nothing but what was signed is a session."""

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        assert scope["session"] == {}

    scope = http([(b"cookie", b"session=" + data)])
    finish(SessionMiddleware(app, "a secret key")(scope, None, None))  # type: ignore[arg-type]  # no body is read


def server(data: bytes) -> None:
    """The same answers however the bytes arrive and whatever came before, each of them whole."""
    answered = conversation([data])
    assert conversation(data[start : start + 1] for start in range(len(data))) == answered
    check_answers(answered)
    # A head that was accepted before is not parsed again, and means the same.
    earlier = b"GET / HTTP/1.1" + data[max(data.find(b"\r\n"), 0) :]
    parsed = conversation([earlier, data[:1], data[1:]], is_patient=True)
    assert conversation([earlier, data], is_patient=True) == parsed


def check_answers(wire: bytes) -> None:
    while wire:
        head, end, rest = wire.partition(b"\r\n\r\n")
        assert end
        assert head.startswith(b"HTTP/1.1 ")
        length = re.search(rb"\r\ncontent-length: ([0-9]+)", head)
        assert length is not None or head.startswith(b"HTTP/1.1 100 ")
        # The answer to HEAD has the length of a body, and none.
        size = int(length[1]) if length and rest and not rest.startswith(b"HTTP/1.1 ") else 0
        assert len(rest) >= size
        wire = rest[size:]


def routes(data: bytes) -> None:
    finish(check_routing("/" + unquote(data.decode("latin-1"), errors="replace")))


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        accept, conditional, cookies, form, forwarded, json_bounds, multipart, parameters, ranges, routes, server,
        session, urlencoded, urls,
    )
}  # fmt: skip

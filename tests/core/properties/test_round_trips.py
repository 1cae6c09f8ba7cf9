"""What is written by the rules is read as it was meant."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterable
from decimal import Decimal
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core._accept import accepted_encodings
from core._files import MalformedRangeHeader, RangeNotSatisfiable, parse_ranges
from core._multipart import parse_parameters
from core.datastructures import URL, FormData, Headers, QueryParams, UploadFile
from core.formparsers import FormParser, MultiPartParser
from core.middleware.proxy import ProxyHeadersMiddleware
from core.requests import cookie_parser
from core.responses import Response
from core.routing import Match, Route
from core.staticfiles import StaticFiles
from core.types import Receive, Scope, Send
from tests.fuzz.connection import conversation
from tests.fuzz.targets import finish, http, one_piece

# Other processes may make any single example slow.
some = settings(max_examples=150, deadline=None)

LATIN = st.characters(max_codepoint=0xFF)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TOKEN = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
SMALL = st.integers(0, 30)


@some
@given(st.dictionaries(TOKEN, st.text(LATIN), max_size=5))
def test_a_cookie_comes_back_with_its_value(cookies: dict[str, str]) -> None:
    response = Response()
    for name, value in cookies.items():
        response.set_cookie(name, value)
    sent_back = [text.partition("; ")[0] for text in response.headers.getlist("set-cookie")]
    assert cookie_parser("; ".join(sent_back)) == cookies


@some
@given(
    st.dictionaries(TOKEN.map(str.lower), st.binary(max_size=20), max_size=5), st.sampled_from([b"; ", b";", b" ;\t"])
)
def test_parameters_are_read_as_they_were_quoted(parameters: dict[str, bytes], separator: bytes) -> None:
    # A backslash at the end would quote the closing quotation mark, and one before a quotation mark is none of its own.
    known = {name.encode(): value for name, value in parameters.items() if b'\\"' not in value and value[-1:] != b"\\"}
    written = [name + b'="' + value.replace(b'"', b'\\"') + b'"' for name, value in known.items()]
    assert parse_parameters(separator.join([b"form-data", *written])) == (b"form-data", known)


@some
@given(st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=6), st.integers(1, 40))
def test_ranges_cover_the_bytes_that_were_asked_for(asked: list[tuple[int, int]], size: int) -> None:
    header = "bytes=" + ", ".join(f"{first}-{last}" for first, last in asked)
    if any(first >= size for first, _ in asked):
        with pytest.raises(RangeNotSatisfiable):
            parse_ranges(header, size, 100)
    elif any(first > last for first, last in asked):
        with pytest.raises(MalformedRangeHeader):
            parse_ranges(header, size, 100)
    else:
        wanted = {place for first, last in asked for place in range(first, min(last + 1, size))}
        assert {place for start, end in parse_ranges(header, size, 100) for place in range(start, end)} == wanted


@some
@given(st.dictionaries(st.sampled_from(["br", "gzip", "zstd", "*"]), st.integers(0, 1000)))
def test_a_coding_is_accepted_by_its_weight(weights: dict[str, int]) -> None:
    header = ", ".join(f"{coding};q={Decimal(weight) / 1000}" for coding, weight in weights.items())
    accepted = accepted_encodings([(b"accept-encoding", header.encode())], ["br", "gzip"])
    assert accepted == [coding for coding in ("br", "gzip") if weights.get(coding, weights.get("*", 0)) > 0]


addresses = st.one_of(st.ip_addresses(), st.ip_addresses(network="10.0.0.0/8"))


@some
@given(st.lists(addresses, min_size=1, max_size=6), st.booleans())
def test_the_client_is_the_last_address_that_is_not_trusted(
    hops: list[ipaddress.IPv4Address | ipaddress.IPv6Address], with_port: bool
) -> None:
    trusted = ipaddress.ip_network("10.0.0.0/8")
    known = [getattr(hop, "ipv4_mapped", None) or hop for hop in hops]
    strangers = [hop for hop in known if hop not in trusted]
    port = ":443" if with_port else ""
    written = [f"[{hop}]{port}" if hop.version == 6 else f"{hop}{port}" for hop in hops]
    scope = http([(b"x-forwarded-for", ", ".join(written).encode())], scheme="http", client=("10.0.0.1", 1))

    finish(ProxyHeadersMiddleware(ignore, ["10.0.0.0/8"])(scope, *NO_CHANNELS))

    assert scope["client"] == (str(strangers[-1] if strangers else known[0]), 0)


async def ignore(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers nothing."""


# No message is received or sent. The application does not look at them.
NO_CHANNELS: Any = (None, None)


@some
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=6))
def test_an_urlencoded_form_comes_back_with_its_fields(pairs: list[tuple[str, str]]) -> None:
    form = finish(FormParser(Headers(), one_piece(urlencode(pairs).encode())).parse())
    assert form.multi_items() == pairs
    assert QueryParams(urlencode(pairs)).multi_items() == pairs
    assert QueryParams(str(QueryParams(pairs))).multi_items() == pairs


# As browsers write names: what would end them is percent-encoded, and the rest is UTF-8 (RFC 7578 section 5.1).
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\\\r\n\0'))
parts = st.tuples(names, st.none() | names, st.binary(max_size=60))


@some
@given(st.lists(parts, max_size=5), st.integers(1, 80))
def test_a_multipart_form_comes_back_with_its_parts(sent: list[tuple[str, str | None, bytes]], step: int) -> None:
    body = b"".join(write_part(*part) for part in sent) + b"--edge--\r\n"
    form = finish(MultiPartParser(CONTENT_TYPE, in_pieces(body, step)).parse())
    assert [read_part(name, value) for name, value in form.multi_items()] == [
        (name, filename, content if filename is not None else as_text(content)) for name, filename, content in sent
    ]
    finish(FormData.close(form))


CONTENT_TYPE = Headers({"content-type": "multipart/form-data; boundary=edge"})


async def in_pieces(body: bytes, step: int) -> Any:
    for start in range(0, len(body), step):
        yield body[start : start + step]


def write_part(name: str, filename: str | None, content: bytes) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def read_part(name: str, value: UploadFile | str) -> tuple[str, str | None, bytes | str]:
    return (name, None, value) if isinstance(value, str) else (name, value.filename, value.file.read())


def as_text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


async def endpoint(request: Any) -> Response:
    return Response()


ROUTE = Route("/{word}/{number:int}/{ratio:float}/{identifier:uuid}/v{version}.{rest:path}", endpoint, name="all")


@some
@given(
    word=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1),
    number=st.integers(0),
    ratio=st.floats(0, allow_infinity=False, allow_nan=False),
    identifier=st.uuids(),
    version=st.integers(0).map(str),
    rest=ANY_TEXT,
)
def test_the_address_of_a_route_leads_back_to_its_parameters(
    word: str, number: int, ratio: float, identifier: uuid.UUID, version: str, rest: str
) -> None:
    params = {
        "word": word,
        "number": number,
        "ratio": ratio,
        "identifier": identifier,
        "version": version,
        "rest": rest,
    }
    address = ROUTE.url_path_for("all", **params)
    assert address.isascii()
    match, child_scope = ROUTE.matches(http([], path=unquote(address)))
    # A dot in what is left belongs to the version, which takes as much as it can.
    found = child_scope["path_params"]
    assert match is Match.FULL
    assert f"{found.pop('version')}.{found.pop('rest')}" == f"{params.pop('version')}.{params.pop('rest')}"
    assert found == params


tags = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=6)


@some
@given(st.lists(tags, max_size=5), tags, st.booleans())
def test_a_tag_matches_if_it_is_in_the_list(listed: Iterable[str], own: str, weak: bool) -> None:
    header = ", ".join(f'{"W/" if weak else ""}"{tag}"' for tag in listed)
    ours = Headers({"etag": f'"{own}"'})
    assert FILES.is_not_modified(ours, Headers({"if-none-match": header})) is (own in listed)


@some
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_a_copy_is_current_if_the_file_is_not_newer(changed_at: int, copied_at: int) -> None:
    ours = Headers({"last-modified": formatdate(changed_at, usegmt=True)})
    theirs = Headers({"if-modified-since": formatdate(copied_at, usegmt=True)})
    assert FILES.is_not_modified(ours, theirs) is (copied_at >= changed_at)


FILES = StaticFiles(directory=".", check_dir=False)


@some
@given(ANY_TEXT, st.binary(max_size=20))
def test_a_target_is_the_path_and_the_query_that_were_encoded(path: str, query: bytes) -> None:
    target = quote(f"/{path}").encode() + b"?" + quote_plus(query).encode()
    answered = conversation([b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n"])
    assert repr((f"/{path}", target.partition(b"?")[2]))[1:-1].encode() in answered


FIRST_LINES = [
    b"GET /a%20b?c HTTP/1.1",
    b"POST / HTTP/1.1",
    b"HEAD / HTTP/1.1",
    b"GET / HTTP/1.0",
    b"GET  / HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
]
OTHER_LINES = [
    b"X: y",
    b"Cookie: a=b",
    b"Content-Length: 3",
    b"Expect: 100-continue",
    b"Connection: close",
    b"Transfer-Encoding: chunked",
]
ODD_LINES = [b"Upgrade: h2c\r\nConnection: upgrade", b"Host: b", b"X: \0", b" folded", b"nothing"]
lines = st.lists(st.sampled_from(OTHER_LINES), max_size=3) | st.lists(
    st.sampled_from(OTHER_LINES + ODD_LINES), max_size=3
)
targets = st.text(st.characters(max_codepoint=0x7F), max_size=9).map(lambda text: f"GET /{text} HTTP/1.1".encode())


@some
@given(st.sampled_from(FIRST_LINES) | targets, lines, st.sampled_from([b"", b"abc", b"abcd", b"0\r\n\r\n"]))
def test_a_head_that_comes_again_means_what_it_meant(first: bytes, others: list[bytes], body: bytes) -> None:
    rest = b"\r\n".join([b"", b"Host: a", *others, b"", body])
    earlier, again = b"GET / HTTP/1.1" + rest, first + rest
    parsed = conversation([earlier, again[:1], again[1:]], is_patient=True)
    assert conversation([earlier, again], is_patient=True) == parsed


hosts = st.one_of(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True), st.ip_addresses().map(str))


@some
@given(hosts, st.none() | st.integers(0, 65535), st.none() | TOKEN.map(quote_plus), ANY_TEXT)
def test_replaced_parts_read_back(host: str, port: int | None, username: str | None, value: str) -> None:
    url = URL("https://old.example:1/path?a=1").replace(hostname=host, port=port, username=username)
    read = urlsplit(str(url.include_query_params(b=value)))
    assert (read.hostname, read.port, read.username, read.path) == (host, port, username, "/path")
    assert QueryParams(read.query).multi_items() == [("a", "1"), ("b", value)]

"""LIM-6: no input costs a parser more than time in proportion to its length.

An exponent of 1 is linear, 2 quadratic. Only the processor's time counts, and the best of several runs: other processes can
only make a measurement worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import pytest

from core._accept import accepted_encodings
from core._cookies import cookie_parser
from core._files import MalformedRangeHeader, RangeNotSatisfiable, parse_ranges
from core._multipart import MultipartError, parse_header_block, parse_parameters
from core._typed.inputs import require_bounds
from core.datastructures import URL, Headers, QueryParams
from core.exceptions import HTTPException
from core.formparsers import FormParser
from core.params import Body
from core.problems import prefers_html
from core.staticfiles import StaticFiles
from tests.core.connections import cpu_seconds
from tests.fuzz.connection import conversation
from tests.fuzz.routing import check_routing
from tests.fuzz.seeds import FILE, PART
from tests.fuzz.targets import finish, forwarded, http, one_piece, read_multipart, session

LARGEST_EXPONENT = 1.6
ATTEMPTS = 4
FILES = StaticFiles(directory=".", check_dir=False)

Work = Callable[[bytes], object]
# What stands before and after the piece that is repeated, and how often it is at the smallest size.
Seed = tuple[bytes, bytes, bytes, int]


def repeat(*pieces: bytes, before: bytes = b"", after: bytes = b"", times: int = 4000) -> list[Seed]:
    return [(before, piece, after, times) for piece in pieces]


def read_ranges(data: bytes) -> None:
    with suppress(MalformedRangeHeader, RangeNotSatisfiable):
        parse_ranges(data.decode("latin-1"), 10**9, most=10**9)


def read_header_block(data: bytes) -> None:
    with suppress(MultipartError):
        parse_header_block(data)


def read_if_none_match(data: bytes) -> None:
    FILES.is_not_modified(Headers({"etag": '"a"'}), Headers(raw=[(b"if-none-match", data)]))


def read_if_modified_since(data: bytes) -> None:
    ours = Headers({"last-modified": "Thu, 01 Jan 1970 00:00:00 GMT"})
    FILES.is_not_modified(ours, Headers(raw=[(b"if-modified-since", data)]))


def read_url(data: bytes) -> None:
    str(URL(scope=http([(b"host", data)], path="/" + data.decode("latin-1"), query_string=data)))


def read_json_bounds(data: bytes) -> None:
    with suppress(HTTPException):
        require_bounds(data, Body())


PARSERS: dict[str, tuple[Work, list[Seed]]] = {
    "cookies": (
        lambda data: cookie_parser(data.decode("latin-1")),
        [
            *repeat(b";", b"=", b"a=1;", b'"', b"\\", b'a="\\', b"__Host-a=1;", b" "),
            *repeat(b"\\", b"\\\\", b"\\054", b'"', before=b'a="', after=b'"'),
        ],
    ),
    "ranges": (
        read_ranges,
        repeat(b"0-1,", b"1-,", b",", b"9", b"-", b" ", b"5-6,3-4,1-2,", b"9-,-9,", before=b"bytes=", after=b"0-1"),
    ),
    "parameters": (
        parse_parameters,
        [
            *repeat(b";", b"=", b'"', b"\\", b'\\"', b'a="', b"a=b;", b" ", b'a="b\\";', b"\t=", before=b"form-data; x="),
            *repeat(b"\\", b'\\"', b";", before=b'form-data; name="'),
        ],
    ),
    "headers of a part": (read_header_block, repeat(b"\r\n", b":", b"a:b\r\n", b"\t", b"\r")),
    "accept-encoding": (
        lambda data: accepted_encodings([(b"accept-encoding", data)], ["br", "gzip"]),
        repeat(b",", b";", b"gzip;q=1,", b";q=", b" ", b"=", b"0"),
    ),
    "accept": (
        lambda data: prefers_html(data.decode("latin-1")),
        repeat(b",", b";", b"text/html;q=1,", b";q=", b" ", b"=", b"0", b"/"),
    ),
    "forwarded": (forwarded, repeat(b",", b"10.0.0.1,", b"::1,", b"[", b":", b".", b"0", b"%", b" ")),
    "multipart": (
        lambda data: read_multipart([data]),
        [
            *repeat(b"\r", b"\n", b"\r\n", b"\r\n--", b"\r\n--edg", b"-", before=PART[:-6], after=b"\r\n--edge--"),
            *repeat(PART, FILE, b"--edge\r\n\r\n\r\n", times=500),
            *repeat(b" ", b"\t", b"\r", before=b"--edge"),
        ],
    ),
    "multipart in small pieces": (
        lambda data: read_multipart(data[start : start + 7] for start in range(0, len(data), 7)),
        repeat(b"\r", b"\r\n--edg", b"x", b"-", before=PART[:-6], after=b"\r\n--edge--"),
    ),
    "urlencoded": (
        lambda data: finish(FormParser(Headers(), one_piece(data), max_fields=10**6, max_part_size=10**6).parse()),
        repeat(b"&", b"=", b"+", b"%", b"%41", b"%ff", b"%c3%bc", b"a=1&", b"a&", b"\xff"),
    ),
    "query": (lambda data: str(QueryParams(data)), repeat(b"&", b"=", b"%", b"%41", b"%ff", b"a=1&", b"\xff", b";")),
    "url": (read_url, repeat(b"/", b"?", b"#", b"%", b"\\", b"[", b":", b"@", b".", b"\xff")),
    "routes": (
        lambda data: finish(check_routing("/" + data.decode("latin-1"))),
        [
            *repeat(b"/", b"a/", b"1/", b"-", b"1", b"v1.", b".", b"a-", times=500),
            *repeat(b"/", b"/end", b"a/", b"/end/", before=b"files", after=b"/en", times=500),
        ],
    ),
    "if-none-match": (read_if_none_match, repeat(b'"', b",", b'W/"b",', b"W/", b" ", b"*")),
    "if-modified-since": (read_if_modified_since, repeat(b" ", b"a ", b":", b"-", b",", b"0", b"+", b".", b"Thu, ")),
    "json": (read_json_bounds, repeat(b'"', b"\\", b"[", b"]", b'{"a":', b'""', b",", b'"\\', b'\\"', b"[]")),
    "session": (session, repeat(b".", b"a", b"a.", b"=", b"\xff")),
    "server": (lambda data: conversation([data]), repeat(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n", times=100)),
}  # fmt: skip


def cases() -> list[object]:
    return [
        pytest.param(work, seed, id=f"{name} {seed[0][-8:]!r} {seed[1][:16]!r}")
        for name, (work, seeds) in PARSERS.items()
        for seed in seeds
    ]


def exponent(work: Work, seed: Seed) -> float:
    before, piece, after, times = seed
    data = {times * factor: before + piece * (times * factor) + after for factor in (1, 2, 4)}
    once, _, four_times = (cpu_seconds(lambda size: work(data[size]), size) for size in data)
    return math.log(max(four_times, 1e-5) / max(once, 1e-5), 4)


@pytest.mark.parametrize(("work", "seed"), cases())
@pytest.mark.requirement("LIM-6")
def test_lim_6_hostile_input_costs_time_in_proportion_to_its_length(work: Work, seed: Seed) -> None:
    measured: list[float] = []
    while len(measured) < ATTEMPTS and min(measured, default=math.inf) >= LARGEST_EXPONENT:
        measured.append(exponent(work, seed))
    assert min(measured) < LARGEST_EXPONENT


def test_quadratic_work_is_noticed() -> None:
    """What these tests would see of a parser that looks at everything again for each byte."""
    assert exponent(lambda data: [other for _ in data for other in data], (b"", b"a", b"", 200)) > LARGEST_EXPONENT

"""What is measured: the same requests for every peer, each with the answer that proves that the work was done."""

import json
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
STATIC = HERE / "static"
STATIC_FILE = STATIC / "ten_kilobytes.txt"
ROWS = [{"id": number, "name": f"Row {number}", "price": number * 3} for number in range(50)]
PAGE = (
    "<!doctype html><title>{{ title }}</title><table>{% for row in rows %}<tr><td>{{ row.id }}</td>"
    "<td>{{ row.name }}</td><td>{{ row.price }}</td></tr>{% endfor %}</table>"
)
CHUNKS = [b"x" * 64] * 100
BOUNDARY = "----slipway"


@dataclass(frozen=True)
class Scenario:
    """One request. `expected` is a part of the body that a right answer has."""

    name: str
    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int = 200
    expected: bytes = b""
    routes: int = 0  # How many other routes stand before the one that is asked for.
    options: frozenset[str] = field(default_factory=frozenset)


def multipart(size: int) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
    return (
        f"{head}Content-Type: application/octet-stream\r\n\r\n".encode()
        + b"x" * size
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )


JSON_BODY = json.dumps({"name": "Ada", "tags": ["a", "b"], "count": 3}).encode()
FORM_BODY = b"name=Ada+Lovelace&email=ada%40example.com&city=London&note=one%20two%20three"
JSON_TYPE = (("content-type", "application/json"),)
FORM_TYPE = (("content-type", "application/x-www-form-urlencoded"),)
MULTIPART_TYPE = (("content-type", f"multipart/form-data; boundary={BOUNDARY}"),)

SCENARIOS = [
    Scenario("plain text", "/plain", expected=b"Hello, world"),
    Scenario("JSON", "/json", expected=b'"message"'),
    Scenario("path parameter", "/items/42", expected=b"42"),
    Scenario("JSON echo", "/echo", "POST", JSON_TYPE, JSON_BODY, expected=b'"Ada"'),
    Scenario("urlencoded form", "/form", "POST", FORM_TYPE, FORM_BODY, expected=b"Ada Lovelace"),
    Scenario("multipart 10 kB", "/upload", "POST", MULTIPART_TYPE, multipart(10_000), expected=b"10000"),
    Scenario("last of 300 routes", "/route/299", routes=300, expected=b"Hello, world"),
    Scenario("last of 1,000 routes", "/route/999", routes=1000, expected=b"Hello, world"),
    Scenario("404 with 300 routes", "/missing", status=404, routes=300),
    Scenario("five middleware", "/plain", expected=b"Hello, world", options=frozenset({"five middleware"})),
    Scenario("signed session read", "/session", expected=b"Ada", options=frozenset({"session"})),
    Scenario("Jinja2 page, 50 rows", "/page", expected=b"Row 49"),
    Scenario("static file 10 kB", "/static/ten_kilobytes.txt", expected=b"0123456789"),
    Scenario("static file, 304", "/static/ten_kilobytes.txt", status=304, options=frozenset({"conditional"})),
    Scenario("stream, 100 chunks", "/stream", expected=b"xxxx"),
    Scenario("stream, 10 sync chunks", "/stream-sync", expected=b"xxxx"),
]

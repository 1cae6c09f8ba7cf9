"""What is measured: the same requests for every peer, each with the answer that proves that the work was done."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

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
    """One request, or one websocket whose every message comes back. `expected` is a part of a right answer's body."""

    name: str
    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int = 200
    expected: bytes = b""
    query: str = ""
    routes: int = 0  # How many other routes stand before the one that is asked for.
    options: frozenset[str] = field(default_factory=frozenset)
    kind: Literal["http", "websocket"] = "http"
    conditional: bool = False  # Asks again with the validator of the first answer.

    @property
    def application(self) -> tuple[int, frozenset[str]]:
        """Scenarios with equal ones are measured with one process a peer."""
        return self.routes, self.options


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
TENANT = (("x-tenant", "acme"),)
FIVE = frozenset({"five middleware"})
SHELF = b'"limit":10'

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
    Scenario("five middleware", "/plain", expected=b"Hello, world", options=FIVE),
    Scenario("signed session read", "/session", expected=b"Ada", options=frozenset({"session"})),
    Scenario("Jinja2 page, 50 rows", "/page", expected=b"Row 49"),
    Scenario("static file 10 kB", "/static/ten_kilobytes.txt", expected=b"0123456789"),
    Scenario("static file, 304", "/static/ten_kilobytes.txt", status=304, conditional=True),
    Scenario("stream, 100 chunks", "/stream", expected=b"xxxx"),
    Scenario("stream, 10 sync chunks", "/stream-sync", expected=b"xxxx"),
    Scenario("websocket echo, a message", "/socket", body=b"Hello, world", expected=b"Hello, world", kind="websocket"),
]
VALIDATED = Scenario(
    "validated JSON, one dependency", "/orders", "POST", JSON_TYPE + TENANT, JSON_BODY, expected=b'"name":"Ada"'
)
DECLARED = Scenario(
    "two path, two query parameters, declared", "/declared/3/42", query="limit=10&order=name", expected=SHELF
)
BY_HAND = Scenario(
    "two path, two query parameters, by hand", "/by-hand/3/42", query="limit=10&order=name", expected=SHELF
)
TYPED_SCENARIOS = [VALIDATED, DECLARED, BY_HAND]
BY_NAME = {scenario.name: scenario for scenario in [*SCENARIOS, *TYPED_SCENARIOS]}
# What is asked over the network as well.
NETWORK = [
    "plain text",
    "JSON",
    "path parameter",
    "JSON echo",
    "multipart 10 kB",
    "last of 300 routes",
    "five middleware",
    "static file 10 kB",
    "stream, 100 chunks",
    "websocket echo, a message",
    VALIDATED.name,
]
NETWORK_SCENARIOS = [BY_NAME[name] for name in NETWORK]


def by_application(scenarios: Iterable[Scenario]) -> list[list[Scenario]]:
    groups: dict[tuple[int, frozenset[str]], list[Scenario]] = {}
    for scenario in scenarios:
        groups.setdefault(scenario.application, []).append(scenario)
    return list(groups.values())

"""What is recorded of a request, told to a stand-in for the library, which the project does not install."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from core.applications import Starlette
from core.exceptions import HTTPException
from core.middleware.opentelemetry import OpenTelemetryMiddleware
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Host, Mount, Route, Router
from core.types import Scope
from tests.core.connections import answer, http_scope, websocket_scope


class Recorder:
    """Tracer, meter, histogram and span in one: it remembers what it is told."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.durations: list[dict[str, Any]] = []

    def get_tracer(self, name: str) -> "Recorder":
        return self

    get_meter = get_tracer

    def create_histogram(self, name: str, **options: Any) -> "Recorder":
        assert options["unit"] == "s"
        return self

    def record(self, seconds: float, attributes: dict[str, Any]) -> None:
        assert seconds >= 0
        self.durations.append(attributes)

    @contextmanager
    def start_as_current_span(self, name: str, **options: Any) -> Iterator["Recorder"]:
        self.spans.append({"name": name, "status": None, **options, "attributes": dict(options["attributes"])})
        yield self

    def update_name(self, name: str) -> None:
        self.spans[-1]["name"] = name

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        self.spans[-1]["attributes"].update(attributes)

    def set_status(self, status: str) -> None:
        self.spans[-1]["status"] = status


class NoOpTracerProvider(Recorder):
    """What the library has before a program sets up anything."""


def module(name: str, **contents: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(contents)
    return made


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    trace: dict[str, Any] = {
        "get_tracer_provider": NoOpTracerProvider,
        "NoOpTracerProvider": NoOpTracerProvider,
        "SpanKind": type("SpanKind", (), {"SERVER": "server"}),
        "StatusCode": type("StatusCode", (), {"ERROR": "error"}),
    }
    library = {
        "opentelemetry": {},
        "opentelemetry.trace": trace,
        "opentelemetry.propagate": {"extract": lambda carrier: carrier.get("traceparent")},
        "opentelemetry.metrics": {"get_meter_provider": lambda: recorder},
    }
    for name, contents in library.items():
        monkeypatch.setitem(sys.modules, name, module(name, **contents))
    return recorder


async def boat(request: Request) -> Response:
    if request.path_params["name"] == "sunk":
        raise HTTPException(503)
    if request.path_params["name"] == "broken":
        raise ValueError("broken")
    return PlainTextResponse("afloat")


ROUTES = [
    Host("docs.test", Router([Route("/{name}", boat)])),
    Route("/boats/{name}", boat),
    Mount("/harbour", routes=[Route("/{name}", boat)]),
]


def watched(recorder: Recorder, **options: Any) -> OpenTelemetryMiddleware:
    return OpenTelemetryMiddleware(Starlette(routes=ROUTES), tracer_provider=recorder, **options)


async def test_a_span_is_named_by_the_route_and_described_by_the_request(recorder: Recorder) -> None:
    scope = http_scope(
        path="/boats/fram", headers={"User-Agent": "a", "Traceparent": "parent"}, client=("192.0.2.1", 1)
    )
    await answer(watched(recorder), {**scope, "query_string": b"a=1"})
    span = recorder.spans[0]

    assert (span["name"], span["kind"], span["context"], span["status"]) == (
        "GET /boats/{name}",
        "server",
        "parent",
        None,
    )
    assert span["attributes"]["url.query"] == "a=1"
    assert span["attributes"]["user_agent.original"] == "a"
    assert span["attributes"]["client.address"] == "192.0.2.1"
    assert span["attributes"]["http.response.status_code"] == 200
    assert recorder.durations == [
        {
            "http.request.method": "GET",
            "url.scheme": "http",
            "network.protocol.version": "1.1",
            "http.route": "/boats/{name}",
            "http.response.status_code": 200,
        }
    ]


async def test_the_route_within_a_mount_has_the_mounts_path_before_it(recorder: Recorder) -> None:
    await answer(watched(recorder), http_scope(path="/harbour/fram"))
    await answer(watched(recorder), http_scope(path="/harbour/a/b"))

    assert [span["name"] for span in recorder.spans] == ["GET /harbour/{name}", "GET /harbour"]


async def test_the_name_of_a_host_is_no_part_of_the_route(recorder: Recorder) -> None:
    await answer(watched(recorder), http_scope(path="/fram", headers={"host": "docs.test"}))

    assert recorder.spans[0]["name"] == "GET /{name}"


async def test_what_fails_is_an_error_by_its_status_or_its_class(recorder: Recorder) -> None:
    await answer(watched(recorder), http_scope(path="/boats/sunk"))
    with pytest.raises(ValueError, match="broken"):
        await answer(watched(recorder), http_scope(path="/boats/broken"))

    assert [span["status"] for span in recorder.spans] == ["error", "error"]
    assert [span["attributes"]["error.type"] for span in recorder.spans] == ["503", "ValueError"]
    assert recorder.durations[1]["http.response.status_code"] == 500


async def test_an_unknown_method_is_not_a_name_of_its_own(recorder: Recorder) -> None:
    await answer(watched(recorder), http_scope("BREW", "/nowhere"))
    span = recorder.spans[0]

    assert (span["name"], span["attributes"]["http.request.method"]) == ("HTTP", "_OTHER")
    assert span["attributes"]["http.request.method_original"] == "BREW"


async def test_fields_of_one_name_are_joined_for_the_propagator(recorder: Recorder) -> None:
    scope: Scope = {**http_scope(path="/boats/fram"), "headers": [(b"traceparent", b"a"), (b"traceparent", b"b")]}
    await answer(watched(recorder), scope)

    assert recorder.spans[0]["context"] == "a,b"


async def test_a_request_is_recorded_once_even_where_the_middleware_is_nested(recorder: Recorder) -> None:
    await answer(OpenTelemetryMiddleware(watched(recorder), tracer_provider=recorder), http_scope(path="/boats/fram"))

    assert len(recorder.spans) == 1


@pytest.mark.parametrize("excluded", ["/health, /boats/", ["/boats/"]])
async def test_excluded_addresses_are_not_recorded_further_inside_either(recorder: Recorder, excluded: Any) -> None:
    app = OpenTelemetryMiddleware(watched(recorder), tracer_provider=recorder, excluded_urls=excluded)
    scope = http_scope(path="/boats/fram")

    assert (await answer(app, scope)).body == b"afloat"
    assert recorder.spans == []


async def test_without_a_provider_and_for_other_scopes_nothing_is_recorded(recorder: Recorder) -> None:
    idle = OpenTelemetryMiddleware(Starlette(routes=ROUTES))

    assert not idle.is_enabled
    assert (await answer(idle, http_scope(path="/boats/fram"))).body == b"afloat"
    await answer(watched(recorder), websocket_scope("/boats/fram"))
    assert recorder.spans == []

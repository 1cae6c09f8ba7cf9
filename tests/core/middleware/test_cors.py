import logging

import pytest

from core.applications import Starlette
from core.middleware import Middleware
from core.middleware.cors import ALL_METHODS, CORSMiddleware
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import Route
from core.testclient import AsyncTestClient, TestClient

ORIGIN = "https://partner.test"
PREFLIGHT = {"origin": ORIGIN, "access-control-request-method": "GET"}


async def page(request: Request) -> Response:
    return PlainTextResponse("page", headers={"vary": "Accept"})


async def fail(request: Request) -> Response:
    raise ValueError("broken")


def client(**options: object) -> TestClient:
    app = Starlette(
        routes=[Route("/", page, methods=["GET", "OPTIONS"]), Route("/fail", fail)],
        middleware=[Middleware(CORSMiddleware, **options)],  # type: ignore[arg-type]  # One dict for all the types.
        error_responses_inside_middleware=True,
    )
    return TestClient(app, raise_server_exceptions=False)


ORIGINS = {
    "https://partner.test": True,
    "https://partner.test:8443": False,
    "http://partner.test": False,
    "https://partner.test.evil.net": False,
    "https://evilpartner.test": False,
    "https://evil.net/?https://partner.test": False,
    "https://sub.partner.test": False,
    "null": False,
    "": False,
    "https://a.customers.test": True,
    "https://a.customers.test.evil.net": False,
    "https://a.customers.test\nevil": False,
}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.requirement("HDR-4")
def test_advisory_pr_801_and_cve_sentry_2023_36829_an_origin_matches_whole_or_not_at_all(origin: str) -> None:
    """Matching a beginning or an end lets origins of others read responses."""
    shared = client(
        allow_origins=[ORIGIN], allow_origin_regex=r"https://[a-z]+\.customers\.test", allow_credentials=True
    )
    response = shared.get("/", headers=[(b"origin", origin.encode())])

    assert response.headers.get("access-control-allow-origin") == (origin if ORIGINS[origin] else None)


@pytest.mark.parametrize("headers", [{}, {"origin": ORIGIN}, {"origin": "https://evil.test"}])
@pytest.mark.requirement("HDR-4")
def test_every_response_varies_by_origin_and_keeps_what_it_varied_by(headers: dict[str, str]) -> None:
    assert client(allow_origins=[ORIGIN]).get("/", headers=headers).headers["vary"] == "Accept, Origin"
    assert client(allow_origins=["*"]).get("/", headers=headers).headers["vary"] == "Accept, Origin"


def test_all_origins_are_answered_with_a_star_unless_credentials_are_allowed(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"origin": ORIGIN}

    assert client(allow_origins=["*"]).get("/", headers=headers).headers["access-control-allow-origin"] == "*"
    with caplog.at_level(logging.WARNING):
        response = client(allow_origins=["*"], allow_credentials=True).get("/", headers=headers)
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "lets every site read" in caplog.text


def test_an_unhandled_error_can_be_read_by_the_page_that_caused_it() -> None:
    response = client(allow_origins=[ORIGIN]).get("/fail", headers={"origin": ORIGIN})

    assert response.status_code == 500
    assert response.headers["access-control-allow-origin"] == ORIGIN


def test_a_preflight_is_answered_without_the_application() -> None:
    response = client(allow_origins=[ORIGIN], allow_headers=["X-Token"], max_age=5).options("/", headers=PREFLIGHT)

    assert (response.status_code, response.text) == (200, "OK")
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-methods"] == "GET"
    assert response.headers["access-control-max-age"] == "5"
    assert "X-Token" in response.headers["access-control-allow-headers"]
    assert response.headers["vary"].startswith("Origin")


REFUSED_PREFLIGHTS = {
    "origin": ({"origin": "https://evil.test"}, "Disallowed CORS origin"),
    "method": ({"access-control-request-method": "DELETE"}, "Disallowed CORS method"),
    "headers": ({"access-control-request-headers": "X-Token, X-Other"}, "Disallowed CORS headers"),
    "network": ({"access-control-request-private-network": "true"}, "Disallowed CORS private-network"),
    "two": (
        {"origin": "https://evil.test", "access-control-request-method": "PUT"},
        "Disallowed CORS origin, method",
    ),
}


@pytest.mark.parametrize("case", REFUSED_PREFLIGHTS)
def test_a_preflight_says_what_is_not_allowed(case: str) -> None:
    changes, text = REFUSED_PREFLIGHTS[case]
    response = client(allow_origins=[ORIGIN], allow_headers=["X-Token"]).options("/", headers={**PREFLIGHT, **changes})

    assert (response.status_code, response.text) == (400, text)
    assert ("access-control-allow-origin" in response.headers) == ("origin" not in changes)


def test_header_names_are_compared_without_case_and_all_can_be_allowed() -> None:
    headers = {**PREFLIGHT, "access-control-request-headers": "x-TOKEN"}

    assert client(allow_origins=["*"], allow_headers=["X-Token"]).options("/", headers=headers).status_code == 200
    every = client(allow_origins=["*"], allow_headers=["*"])
    assert every.options("/", headers=headers).headers["access-control-allow-headers"] == "x-TOKEN"
    assert "access-control-allow-headers" not in every.options("/", headers=PREFLIGHT).headers


def test_all_methods_are_the_known_ones() -> None:
    every = client(allow_origins=["*"], allow_methods=["*"])

    for method in ALL_METHODS:
        assert every.options("/", headers={**PREFLIGHT, "access-control-request-method": method}).status_code == 200
    assert every.options("/", headers={**PREFLIGHT, "access-control-request-method": "BREW"}).status_code == 400


def test_an_options_request_that_is_no_preflight_reaches_the_application() -> None:
    assert client(allow_origins=["*"]).options("/", headers={"origin": ORIGIN}).text == "page"


def test_a_private_network_may_be_allowed() -> None:
    headers = {**PREFLIGHT, "access-control-request-private-network": "true"}
    response = client(allow_origins=["*"], allow_private_network=True).options("/", headers=headers)

    assert response.headers["access-control-allow-private-network"] == "true"


async def test_sharing_works_on_both_event_loops() -> None:
    response = await AsyncTestClient(client(allow_origins=["*"]).app).get("/", headers={"origin": ORIGIN})

    assert response.headers["access-control-allow-origin"] == "*"

"""PRX-1: who may say who the client is."""

import pytest

from core.middleware.proxy import MOST_HOPS, ProxyHeadersMiddleware
from core.requests import HTTPConnection
from core.responses import JSONResponse
from core.testclient import TestClient
from core.types import Receive, Scope, Send

PROXY = ("10.0.0.1", 1234)


async def show_client(scope: Scope, receive: Receive, send: Send) -> None:
    connection = HTTPConnection(scope)
    host = connection.client.host if connection.client else None
    await JSONResponse([host, scope["scheme"], connection.url.hostname])(scope, receive, send)


def ask(
    headers: list[tuple[str, str]], peer: tuple[str, int] = PROXY, trusted: tuple[str, ...] = ("10.0.0.0/8",)
) -> list[str]:
    answer: list[str] = (
        TestClient(ProxyHeadersMiddleware(show_client, trusted), client=peer).get("/", headers=headers).json()
    )
    return answer


SPOOFS = {
    "one proxy": ("203.0.113.7", "203.0.113.7"),
    "client wrote one itself": ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
    "two proxies": ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
    "client claims to be behind our proxy": ("1.1.1.1, 10.9.9.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
    "junk on the left": ("<script>, 203.0.113.7", "203.0.113.7"),
    "junk on the right": ("203.0.113.7, unknown", "10.0.0.1"),
    "junk behind a proxy": ("junk, 10.0.0.2", "10.0.0.2"),
    "only proxies": ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    "empty": ("", "10.0.0.1"),
    "commas": (",,,", "10.0.0.1"),
    "with port": ("203.0.113.7:4711", "203.0.113.7"),
    "IPv6": ("2001:db8::7", "2001:db8::7"),
    "IPv6 with port": ("[2001:db8::7]:4711", "2001:db8::7"),
    "IPv6 of a zone": ("fe80::7%<script>", "fe80::7"),
    "IPv4 in IPv6": ("::ffff:203.0.113.7", "203.0.113.7"),
}


@pytest.mark.parametrize("case", SPOOFS)
@pytest.mark.requirement("PRX-1")
def test_the_client_is_the_rightmost_address_that_is_no_proxy(case: str) -> None:
    forwarded, client = SPOOFS[case]

    assert ask([("x-forwarded-for", forwarded)])[0] == client


def test_several_fields_are_one_list() -> None:
    assert ask([("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.7, 10.0.0.2")])[0] == "203.0.113.7"


@pytest.mark.requirement("PRX-1")
def test_a_peer_that_is_no_proxy_is_not_believed() -> None:
    headers = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]

    assert ask(headers, peer=("203.0.113.7", 1))[:2] == ["203.0.113.7", "http"]
    assert ask(headers, trusted=())[:2] == ["10.0.0.1", "http"]


def test_the_scheme_is_taken_over_and_the_forwarded_host_is_not() -> None:
    headers = [("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.test")]

    assert ask(headers) == ["10.0.0.1", "https", "testserver"]


@pytest.mark.parametrize("scheme", ["", "javascript", "http, ftp"])
def test_an_unknown_scheme_changes_nothing(scheme: str) -> None:
    assert ask([("x-forwarded-proto", scheme)])[1] == "http"


def test_a_unix_socket_is_trusted_only_by_name() -> None:
    headers = [("x-forwarded-for", "203.0.113.7")]

    assert ask(headers, peer=("", 0), trusted=("unix",))[0] == "203.0.113.7"
    assert ask(headers, peer=("", 0))[0] == ""


@pytest.mark.parametrize("entry", ["*", "", "proxy.internal", "10.0.0.1/8"])
def test_what_is_no_address_or_network_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="not an address or network"):
        ProxyHeadersMiddleware(show_client, [entry])


def test_a_long_list_of_hops_is_walked_only_so_far() -> None:
    hops = ", ".join(["1.1.1.1"] + ["10.0.0.2"] * (MOST_HOPS + 1))

    assert ask([("x-forwarded-for", hops)])[0] == "10.0.0.2"


def test_a_proxy_may_say_that_its_client_came_without_encryption() -> None:
    client = TestClient(ProxyHeadersMiddleware(show_client, ["10.0.0.0/8"]), "https://testserver", client=PROXY)

    assert client.get("/", headers={"x-forwarded-proto": "http"}).json()[1] == "http"

"""Where `next` may lead: nowhere but to a path of this site."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.redirects import log_in_path, safe_path

SITE = "https://slipway.test/log-in"

ELSEWHERE = [
    "",
    " ",
    "http://evil.example",
    "https://evil.example/",
    "HTTPS://evil.example",
    "http:evil.example",
    "https:evil.example",
    "http:/evil.example",
    "https:///evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/%2f..",
    "//evil.example@slipway.test",
    "//slipway.test@evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "/\x00/evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aSet-Cookie:a=b",
    "/%00",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "%2F",
    "%2Fo%2Facme",
    "%2f%2fevil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%2e//evil.example",
    "/%2e%2e//evil.example",
    "/a/..//evil.example",
    "/a//evil.example",
    "/./x",
    "/../x",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "mailto:x@evil.example",
    "ftp://evil.example",
    "evil.example",
    "www.evil.example/x",
    "@evil.example",
    ":80",
    "?next=//evil.example",
    "#fragment",
    "/path#fragment",
    "/pfad mit leerzeichen",
    "/päth",
    "/\u2028/evil.example",
    "/\u3000evil.example",
    "/；evil.example",
    "／／evil.example",
    "/\ud800",
    "/<script>",
    '/"onmouseover=',
    "/[::1]",
    "/" + "a" * 2001,
]

HERE = [
    "/",
    "/o/acme",
    "/o/acme/members?sort=name&page=2",
    "/o/acme/members?q=a%20b",
    "/search?q=https://example.com//x",
    "/a:b/c@d",
    "/~user/;v=1",
    "/o/acme/",
    "/o/.well-known",
    "/a...b",
]


def test_the_table_has_sixty_traps() -> None:
    assert len(set(ELSEWHERE)) >= 60


@pytest.mark.requirement("RED-1")
@pytest.mark.parametrize("target", ELSEWHERE)
def test_what_is_not_a_path_of_this_site_is_refused(target: str) -> None:
    assert safe_path(target, "/fallback") == "/fallback"


@pytest.mark.parametrize("target", HERE)
def test_paths_of_this_site_are_kept_as_they_are(target: str) -> None:
    assert safe_path(target) == target


@pytest.mark.requirement("RED-1")
@given(st.one_of(st.text(), st.text(alphabet="/\\.:@%?#&=\t\n \x00ea2f5c0"), st.sampled_from(ELSEWHERE)))
def test_no_text_leads_to_another_host(target: str) -> None:
    path = safe_path(target, "/")

    parts = urlsplit(path)
    assert (parts.scheme, parts.netloc) == ("", "")
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert urlsplit(urljoin(SITE, path)).netloc == "slipway.test"
    assert path.isascii()
    assert path.isprintable()


def test_the_log_in_page_carries_the_way_back_in_one_parameter() -> None:
    assert log_in_path("/log-in", "/o/acme?a=1&b=2") == "/log-in?next=/o/acme%3Fa%3D1%26b%3D2"
    assert log_in_path("/log-in", "/") == "/log-in"
    assert log_in_path("/log-in", "") == "/log-in"

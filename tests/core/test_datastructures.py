"""URLs, headers, multi-valued mappings, uploads and state."""

from __future__ import annotations

import copy
import threading
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datastructures import (
    URL,
    CommaSeparatedStrings,
    FormData,
    Headers,
    ImmutableMultiDict,
    MultiDict,
    MutableHeaders,
    QueryParams,
    Secret,
    State,
    UploadFile,
    URLPath,
)
from tests.core.connections import growth, http_scope


def url_of(path: str = "/", host: bytes | None = b"example.com", **more: Any) -> URL:
    scope = http_scope(path=path, **more)
    scope["headers"] = [] if host is None else [(b"host", host)]
    return URL(scope=scope)


class TestURL:
    def test_a_url_has_parts(self) -> None:
        url = URL("https://ada:secret@example.com:8443/path?a=1#top")
        assert (url.scheme, url.netloc, url.path) == ("https", "ada:secret@example.com:8443", "/path")
        assert (url.query, url.fragment) == ("a=1", "top")
        assert (url.username, url.password, url.hostname, url.port) == ("ada", "secret", "example.com", 8443)
        assert url.is_secure

    def test_the_representation_hides_the_password(self) -> None:
        assert "secret" not in repr(URL("https://ada:secret@example.com/"))
        assert repr(URL("/a")) == "URL('/a')"

    def test_parts_of_the_authority_are_replaced_one_by_one(self) -> None:
        url = URL("https://ada:secret@example.com:8443/")
        assert url.replace(port=None) == "https://ada:secret@example.com/"
        assert url.replace(hostname="example.org") == "https://ada:secret@example.org:8443/"
        assert url.replace(hostname="::1") == "https://ada:secret@[::1]:8443/"
        assert url.replace(username=None, password=None) == "https://example.com:8443/"
        assert URL("http://[::1]:80/").replace(port=8080) == "http://[::1]:8080/"
        assert URL("/path").replace(scheme="http", hostname="example.com") == "http://example.com/path"

    def test_query_parameters_are_included_replaced_and_removed(self) -> None:
        url = URL("/path?a=1&b=&a=2")
        assert url.include_query_params(c=3) == "/path?a=1&b=&a=2&c=3"
        assert url.include_query_params(a=3) == "/path?b=&a=3"
        assert url.replace_query_params(x="y z") == "/path?x=y+z"
        assert url.remove_query_params(["a"]) == "/path?b="
        assert url.remove_query_params("b") == "/path?a=1&a=2"

    def test_urls_are_equal_as_texts_and_can_be_keys(self) -> None:
        assert {URL("/a"): 1}[URL("/a")] == 1
        assert URL(scheme="https", netloc="example.com", path="/a") == "https://example.com/a"

    def test_only_one_source_may_be_given(self) -> None:
        with pytest.raises(AssertionError):
            URL("/a", scope=http_scope())
        with pytest.raises(AssertionError):
            URL("/a", path="/b")


class TestURLOfAScope:
    def test_it_is_made_of_scheme_host_path_and_query(self) -> None:
        assert url_of("/a", query_string=b"b=1", scheme="https") == "https://example.com/a?b=1"

    @pytest.mark.parametrize("host", [b"example.com:8080", b"127.0.0.1", b"[::1]:80", b"a_b.example", b"ex%41mple"])
    def test_a_host_of_the_grammar_is_taken(self, host: bytes) -> None:
        assert url_of(host=host).netloc == host.decode()

    @pytest.mark.parametrize(
        "host",
        [
            b"", b"a/b", b"a?b", b"a#b", b"a@b", b"a b", b"a\\b", b"a:99999", b"a:b", b"a:1:2", b"[::1", b"[zz]",
            b"::1", b"[1:2]", b"[::1.2]", b"a%zz", b"a%4", b"\xff", b"[::1]x", b"x" * 400,
        ],
    )  # fmt: skip
    def test_cve_2026_48710_a_host_that_is_none_is_not_taken(self, host: bytes) -> None:
        assert url_of("/admin", host=host) == "http://testserver/admin"

    def test_two_host_headers_are_none(self) -> None:
        scope = http_scope()
        scope["headers"] = [(b"host", b"a.example"), (b"host", b"b.example")]
        assert URL(scope=scope).hostname == "testserver"

    def test_the_servers_default_port_is_left_out(self) -> None:
        assert url_of(host=None, server=("example.com", 80)) == "http://example.com/"
        assert url_of(host=None, server=("example.com", 443), scheme="https") == "https://example.com/"
        assert url_of(host=None, server=("::1", 8000)) == "http://[::1]:8000/"

    def test_without_a_server_it_is_relative(self) -> None:
        assert url_of("/a", host=None, server=None) == "/a"
        assert url_of("/a", host=None, server=("/run/app.sock", None)) == "/a"
        assert url_of("//evil.example/a", host=None, server=None) == "/%2Fevil.example/a"

    @pytest.mark.parametrize("path", ["@evil.example", ".evil.example", "evil.example:80", "http://evil.example"])
    def test_cve_2026_54282_a_path_without_a_slash_does_not_move_the_authority(self, path: str) -> None:
        url = url_of(path)
        assert (url.path, url.hostname) == (f"/{path}", "example.com")
        assert urlsplit(str(url)).hostname == "example.com"

    @given(path=st.text(st.characters(blacklist_categories=["Cs"])), host=st.binary(), query=st.binary())
    def test_the_text_reads_back_as_the_same_path_and_host(self, path: str, host: bytes, query: bytes) -> None:
        url = url_of(f"/{path}", host=host, query_string=query)
        read = urlsplit(str(url))
        assert (read.path, read.netloc, read.query) == (url.path, url.netloc, url.query)
        assert read.hostname == url.hostname

    @given(path=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="?#\\\x7f", min_codepoint=32)))
    def test_cve_2026_48710_the_path_is_the_routed_path(self, path: str) -> None:
        assert url_of(f"/{path}", host=b"x/abc?b=").path == f"/{path}"

    def test_bytes_that_are_no_text_stay_in_the_query_escaped(self) -> None:
        assert url_of(query_string=b"a=\xff#b").query == "a=%FF%23b"


class TestURLPath:
    def test_it_becomes_absolute_below_a_base(self) -> None:
        path = URLPath("/page")
        assert path.make_absolute_url("https://example.com/root/") == "https://example.com/root/page"
        assert path.make_absolute_url(URL("http://example.com/")) == "http://example.com/page"

    def test_the_protocol_and_the_host_are_its_own(self) -> None:
        assert URLPath("/", "websocket").make_absolute_url("https://example.com/") == "wss://example.com/"
        assert URLPath("/", "websocket").make_absolute_url("http://example.com/") == "ws://example.com/"
        assert URLPath("/", "http").make_absolute_url("wss://example.com/") == "https://example.com/"
        assert URLPath("/", host="a.example").make_absolute_url("https://example.com/") == "https://a.example/"
        with pytest.raises(AssertionError):
            URLPath("/", protocol="gopher")

    def test_it_never_names_another_host(self) -> None:
        assert URLPath("//evil.example") == "/%2Fevil.example"
        assert URLPath("/\\evil.example") == "/%5Cevil.example"


class TestHeaders:
    def test_names_are_found_in_any_case_and_the_first_value_counts(self) -> None:
        headers = Headers(raw=[(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
        assert headers["A"] == "1"
        assert headers.getlist("a") == ["1", "3"]
        assert "B" in headers
        assert "c" not in headers
        assert headers.get("c") is None
        with pytest.raises(KeyError):
            headers["c"]

    def test_keys_values_and_items_have_duplicates(self) -> None:
        headers = Headers(raw=[(b"a", b"1"), (b"a", b"2")])
        assert (headers.keys(), headers.values()) == (["a", "a"], ["1", "2"])
        assert headers.items() == [("a", "1"), ("a", "2")]
        assert (list(headers), len(headers)) == (["a", "a"], 2)

    def test_equality_does_not_mind_the_order(self) -> None:
        assert Headers({"a": "1", "B": "2"}) == Headers(raw=[(b"b", b"2"), (b"a", b"1")])
        assert Headers({"a": "1"}) != {"a": "1"}

    def test_the_representation_shows_duplicates(self) -> None:
        assert repr(Headers({"A": "1"})) == "Headers({'a': '1'})"
        assert "raw=" in repr(Headers(raw=[(b"a", b"1"), (b"a", b"2")]))

    def test_only_one_source_may_be_given(self) -> None:
        with pytest.raises(AssertionError):
            Headers({"a": "1"}, raw=[])

    def test_a_view_of_a_message_changes_the_message(self) -> None:
        message: dict[str, Any] = {"headers": ((b"a", b"1"),)}
        MutableHeaders(scope=message)["b"] = "2"
        assert message["headers"] == [(b"a", b"1"), (b"b", b"2")]

    def test_setting_keeps_the_first_place_and_removes_the_rest(self) -> None:
        headers = MutableHeaders(raw=[(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
        headers["A"] = "4"
        assert headers.raw == [(b"a", b"4"), (b"b", b"2")]
        del headers["a"]
        assert headers.raw == [(b"b", b"2")]

    def test_defaults_additions_and_unions(self) -> None:
        headers = MutableHeaders({"a": "1"})
        assert (headers.setdefault("a", "2"), headers.setdefault("b", "2")) == ("1", "2")
        headers.append("b", "3")
        assert headers.getlist("b") == ["2", "3"]
        assert (headers | {"a": "4"}).raw != headers.raw
        headers |= {"c": "5"}
        assert headers["c"] == "5"
        with pytest.raises(TypeError, match="mapping"):
            headers |= cast(Any, {"no mapping"})
        copy = headers.mutablecopy()
        copy["d"] = "6"
        assert "d" not in headers

    def test_vary_becomes_one_field(self) -> None:
        headers = MutableHeaders(raw=[(b"vary", b"Cookie"), (b"vary", b"Accept")])
        headers.add_vary_header("Origin")
        assert headers.getlist("vary") == ["Cookie, Accept, Origin"]

    @pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
    def test_a_value_that_would_add_a_field_is_refused(self, value: str) -> None:
        headers = MutableHeaders()
        for change in (headers.__setitem__, headers.append, headers.setdefault):
            with pytest.raises(ValueError, match="line break"):
                change("x", value)
        with pytest.raises(ValueError, match="line break"):
            Headers({"x": value})

    @pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "ä"])
    def test_a_name_that_is_no_token_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="token"):
            MutableHeaders()[name] = "x"


class TestMultiDict:
    def test_the_last_value_is_the_value_and_all_are_kept(self) -> None:
        items = ImmutableMultiDict([("a", 1), ("b", 2), ("a", 3)])
        assert (items["a"], items.getlist("a"), items.get("c", 0)) == (3, [1, 3], 0)
        assert list(items.items()) == [("a", 3), ("b", 2)]
        assert items.multi_items() == [("a", 1), ("b", 2), ("a", 3)]
        assert (len(items), "a" in items) == (2, True)

    def test_the_order_counts_under_a_key_and_not_between_keys(self) -> None:
        first = ImmutableMultiDict([("a", 1), ("b", None), ("a", 2)])
        assert first == ImmutableMultiDict([("b", None), ("a", 1), ("a", 2)])
        assert first != ImmutableMultiDict([("a", 2), ("b", None), ("a", 1)])
        assert first != {"a": 2, "b": None}

    def test_values_are_set_added_and_removed(self) -> None:
        items = MultiDict([("a", 1), ("b", 2), ("a", 3)])
        items["a"] = 4
        items.append("a", 5)
        assert items.multi_items() == [("b", 2), ("a", 4), ("a", 5)]
        items.setlist("b", [])
        assert "b" not in items
        assert items.setdefault("c", 6) == 6
        assert items.poplist("a") == [4, 5]
        assert items.pop("missing", None) is None
        assert items.popitem() == ("c", 6)
        items.update({"x": 1})
        del items["x"]
        with pytest.raises(KeyError):
            del items["x"]
        items.update(y=1)
        items.clear()
        assert not items

    def test_the_newest_key_is_taken_first_with_all_its_values(self) -> None:
        items = MultiDict([("a", 1), ("b", 2), ("b", 3)])

        assert items.popitem() == ("b", 3)
        assert items.multi_items() == [("a", 1)]

    def test_updating_replaces_keys_with_all_their_values(self) -> None:
        items = MultiDict([("a", 1), ("b", 2)])
        items.update(MultiDict([("a", 3), ("a", 4)]))
        assert items.multi_items() == [("b", 2), ("a", 3), ("a", 4)]
        assert items["a"] == 4


class TestQueryParams:
    def test_text_bytes_mappings_and_pairs_mean_the_same(self) -> None:
        expected = QueryParams("a=1&b=x+y")
        assert QueryParams(b"a=1&b=x%20y") == expected
        assert QueryParams({"a": 1, "b": "x y"}) == expected
        assert QueryParams([("a", 1), ("b", "x y")]) == expected
        assert QueryParams(a=1, b="x y") == expected
        assert QueryParams(expected) == expected

    def test_blank_values_and_repeated_names_are_kept(self) -> None:
        params = QueryParams("a=1&a=2&b=&c")
        assert params.multi_items() == [("a", "1"), ("a", "2"), ("b", ""), ("c", "")]
        assert str(params) == "a=1&a=2&b=&c="
        assert repr(params) == "QueryParams('a=1&a=2&b=&c=')"

    def test_cve_2026_53538_a_semicolon_does_not_separate(self) -> None:
        assert QueryParams("a=1;b=2").multi_items() == [("a", "1;b=2")]

    def test_invalid_escapes_are_no_error(self) -> None:
        assert QueryParams("a=%zz&b=%ff")["b"] == "�"


class TestUploadFile:
    async def test_a_small_file_is_used_without_a_thread(self) -> None:
        file = RecordingFile(max_size=100)
        upload = UploadFile(file.as_binary(), size=0, filename="a.txt")
        await upload.write(b"hello")
        await upload.seek(0)
        assert (await upload.read(), upload.size) == (b"hello", 5)
        await upload.close()
        assert file.threads == {threading.main_thread()}

    async def test_cve_2025_54121_the_write_that_rolls_over_to_disk_runs_in_a_thread(self) -> None:
        file = RecordingFile(max_size=10)
        upload = UploadFile(file.as_binary())
        await upload.write(b"x" * 11)
        assert threading.main_thread() not in file.threads
        await upload.seek(0)
        assert await upload.read() == b"x" * 11
        assert upload.size is None
        await upload.close()

    def test_headers_and_type_are_those_of_the_part(self) -> None:
        upload = UploadFile(BytesIO(), filename="a", headers=Headers({"content-type": "text/css"}))
        assert upload.content_type == "text/css"
        assert repr(upload).startswith("UploadFile(filename='a', size=None, headers=Headers(")

    async def test_a_form_closes_its_files(self) -> None:
        upload = UploadFile(BytesIO())
        await FormData([("a", "text"), ("f", upload)]).close()
        assert upload.file.closed


class RecordingFile(SpooledTemporaryFile[bytes]):
    def __init__(self, max_size: int) -> None:
        super().__init__(max_size)
        self.threads: set[threading.Thread] = set()

    def as_binary(self) -> BinaryIO:
        return cast(BinaryIO, self)

    def write(self, data: Any) -> int:
        self.threads.add(threading.current_thread())
        return super().write(data)


class TestState:
    def test_attributes_are_items(self) -> None:
        items: dict[str, Any] = {"a": 1}
        state = State(items)
        state.b = 2
        state["c"] = 3
        assert (state.a, state["b"], state.c) == (1, 2, 3)
        del state.a, state["b"]
        assert (list(state), len(state), items) == (["c"], 1, {"c": 3})

    def test_a_copy_has_the_items(self) -> None:
        state = State({"a": 1})
        twin = copy.copy(state)
        twin.a = 2
        assert (state.a, twin.a) == (1, 2)

    def test_a_missing_attribute_is_named(self) -> None:
        with pytest.raises(AttributeError, match="'State' object has no attribute 'x'"):
            _ = State().x
        with pytest.raises(AttributeError, match="'x'"):
            del State().x


def test_a_secret_does_not_show() -> None:
    secret = Secret("password")
    assert (str(secret), repr(secret), bool(secret), bool(Secret(""))) == (
        "password", "Secret('**********')", True, False,
    )  # fmt: skip


def test_comma_separated_strings_lose_spaces_and_quotes() -> None:
    items = CommaSeparatedStrings("a, 'b, c', d")
    assert list(items) == ["a", "b, c", "d"]
    assert (len(items), items[0], str(items)) == (3, "a", "'a', 'b, c', 'd'")
    assert repr(CommaSeparatedStrings(["a"])) == "CommaSeparatedStrings(['a'])"


def test_parsing_a_query_takes_linear_time() -> None:
    assert growth(lambda size: QueryParams("a=%41&" * size), 2000) < 10


def test_a_multi_valued_mapping_shows_all_its_values_and_keeps_those_it_has() -> None:
    fruit = MultiDict([("a", "1"), ("a", "2")])

    assert repr(fruit) == "MultiDict([('a', '1'), ('a', '2')])"
    assert fruit.setdefault("a", "3") == "2"
    assert fruit.getlist("a") == ["1", "2"]

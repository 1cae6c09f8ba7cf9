import gzip
import os
import stat
import time
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from core.applications import Starlette
from core.exceptions import HTTPException
from core.responses import FileResponse, Response
from core.routing import Mount
from core.staticfiles import MOST_REMEMBERED, HashedStaticFiles, StaticFiles
from core.testclient import AsyncTestClient, TestClient
from core.types import Scope
from core.websockets import WebSocketDisconnect
from tests.core.connections import answer, http_scope, websocket_scope

FILES = {
    "app.css": "body { color: navy }",
    "js/menu.js": "export {}",
    ".env": "SECRET=1",
    ".git/config": "secret",
    "pages/index.html": "<h1>Index</h1>",
    "404.html": "<h1>Missing</h1>",
    "font.woff2": "font",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "static-secret").mkdir()
    (tmp_path / "static-secret" / "x").write_text("secret")
    (tmp_path / "secret").write_text("secret")
    return tmp_path / "static"


def client(files: StaticFiles) -> TestClient:
    return TestClient(Starlette(routes=[Mount("/static", files)]), follow_redirects=False)


def get_scope(path: str, method: str = "GET") -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}


async def status_of(files: StaticFiles, path: str) -> int:
    """The answer to a path as it stands in a scope, which no client would send."""
    try:
        return (await files.get_response(files.get_path(get_scope(path)), get_scope(path))).status_code
    except HTTPException as error:
        return error.status_code


ESCAPES = (
    "/../static-secret/x",
    "/../secret",
    "/js/../../secret",
    "/js/../app.css/../../secret",
    "//etc/passwd",
    "/./../secret",
    "/..",
    "/app.css\0",
    "/app.css\0.png",
    "/" + "a" * 5000,
    "/" + "a/" * 3000,
    "/app.css/x",
    "/\ud800",
)


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("follow_symlink", [False, True])
async def test_cve_2023_29159_nothing_outside_the_directory_is_served(
    directory: Path, path: str, follow_symlink: bool
) -> None:
    """Comparing paths as text let `static-secret` pass for a part of `static`."""
    assert await status_of(StaticFiles(directory=directory, follow_symlink=follow_symlink), path) == 404


@pytest.mark.parametrize(
    "path", ["/static/../secret", "/static/%2e%2e/secret", "/static/..%2fsecret", "/static%2f..%2fsecret"]
)
def test_cve_2023_29159_encoded_dots_do_not_help(directory: Path, path: str) -> None:
    assert client(StaticFiles(directory=directory)).get(path).status_code == 404


class SettledFiles(StaticFiles):
    """Remembers files that were made a moment ago, as a test's are, and looks at them each time."""

    settled_after = -1
    trusted_for = 0


class WatchedDirectory(os.PathLike[str]):
    """A directory that counts how often it is looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uses = 0

    def __fspath__(self) -> str:
        self.uses += 1
        return str(self.path)


@pytest.mark.parametrize("path", ["\\\\host\\share", "\\windows", "/etc/passwd", "../secret", "a\0", "..\\..\\secret"])
def test_cve_2026_48818_a_path_that_leads_out_never_reaches_the_file_system(directory: Path, path: str) -> None:
    """On Windows merely resolving a UNC path sends the user's credentials to the named host."""
    watched = WatchedDirectory(directory)
    files = StaticFiles(directory=watched)
    before = watched.uses

    assert files.lookup_path(path) == ("", None)
    assert watched.uses == before


async def test_cve_aiohttp_2024_23334_a_symbolic_link_does_not_lead_out(directory: Path) -> None:
    (directory / "link").symlink_to(directory.parent / "secret")
    (directory / "folder").symlink_to(directory.parent)
    (directory / "loop").symlink_to(directory / "loop")

    for path in ("/link", "/folder/secret", "/loop"):
        assert await status_of(StaticFiles(directory=directory), path) == 404
    assert await status_of(StaticFiles(directory=directory, follow_symlink=True), "/link") == 200


def test_cve_werkzeug_2020_28724_the_redirect_to_a_folder_stays_on_this_host(directory: Path) -> None:
    (directory / "evil.test").mkdir()
    (directory / "evil.test" / "index.html").write_text("")
    bare = TestClient(StaticFiles(directory=directory, html=True), follow_redirects=False)

    location = bare.get("http://testserver//evil.test").headers["location"]
    assert location.startswith("http://testserver/")
    assert client(StaticFiles(directory=directory, html=True)).get("/static/pages?a=1").headers["location"] == (
        "http://testserver/static/pages/?a=1"
    )


def test_a_file_is_served_with_its_type_and_validators(directory: Path) -> None:
    response = client(StaticFiles(directory=directory)).get("/static/app.css")

    assert response.text == FILES["app.css"]
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert "etag" in response.headers
    assert "last-modified" in response.headers


def test_types_do_not_depend_on_the_machine(directory: Path) -> None:
    files = client(StaticFiles(directory=directory))

    assert files.get("/static/js/menu.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert files.get("/static/font.woff2").headers["content-type"] == "font/woff2"


def test_only_get_and_head_are_allowed(directory: Path) -> None:
    files = client(StaticFiles(directory=directory))
    head = files.head("/static/app.css")

    assert (head.status_code, head.text, head.headers["content-length"]) == (200, "", str(len(FILES["app.css"])))
    assert files.post("/static/app.css").headers["allow"] == "GET, HEAD"


def test_a_websocket_is_closed(directory: Path) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client(StaticFiles(directory=directory)).websocket_connect("/static/app.css"),
    ):
        pass


def test_html_mode_serves_indexes_and_the_page_for_what_is_missing(directory: Path) -> None:
    files = client(StaticFiles(directory=directory, html=True))
    missing = files.get("/static/nothing")

    assert files.get("/static/pages/").text == FILES["pages/index.html"]
    assert (missing.status_code, missing.text) == (404, FILES["404.html"])
    again = files.get("/static/nothing", headers={"if-none-match": missing.headers["etag"]})
    assert again.status_code == 404


def test_a_folder_without_an_index_is_missing(directory: Path) -> None:
    assert client(StaticFiles(directory=directory, html=True)).get("/static/js/").text == FILES["404.html"]


async def test_a_lone_application_closes_websockets_too(directory: Path) -> None:
    sent = await answer(StaticFiles(directory=directory), websocket_scope("/app.css"))

    assert [message["type"] for message in sent.messages] == ["websocket.close"]


CONDITIONS = {
    "same tag": ("{etag}", None, 304),
    "weak tag": ("W/{etag}", None, 304),
    "one of several": ('"a", {etag}', None, 304),
    "any": ("*", None, 304),
    "other tag": ('"other"', None, 200),
    "same tag without its end": ('"a", {etag:.33}', None, 200),
    "star inside a tag": ('"a,*,b"', None, 200),
    "other tag wins over the date": ('"other"', "{modified}", 200),
    "date": (None, "{modified}", 304),
    "earlier date": (None, "Thu, 01 Jan 1970 00:00:00 GMT", 200),
    "no date": (None, "yesterday", 200),
    "a year that no calendar has": (None, "Thu, 01 Jan 99999999999999999999 00:00:00 GMT", 200),
    "a zone that no clock has": (None, "Thu, 01 Jan 1970 00:00:00 +99999999999999999999", 200),
    "date without zone": (None, "Thu, 01 Jan 1970 00:00:00 -0000", 200),
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_conditional_requests(directory: Path, case: str) -> None:
    tag, date, status_code = CONDITIONS[case]
    files = client(StaticFiles(directory=directory, cache_control="max-age=60"))
    known = files.get("/static/app.css").headers
    values = {"etag": known["etag"], "modified": known["last-modified"]}
    given = {"if-none-match": tag, "if-modified-since": date}
    headers = {name: value.format(**values) for name, value in given.items() if value is not None}
    response = files.get("/static/app.css", headers=headers)

    assert response.status_code == status_code
    assert response.headers["cache-control"] == "max-age=60"
    if status_code == 304:
        assert response.content == b""
        assert response.headers["etag"] == known["etag"]
        assert "content-type" not in response.headers


def test_hidden_files_can_be_left_out(directory: Path) -> None:
    for path in ("/static/.env", "/static/.git/config"):
        assert client(StaticFiles(directory=directory)).get(path).status_code == 200
        assert client(StaticFiles(directory=directory, hidden_files=False)).get(path).status_code == 404


async def test_cve_aiohttp_2025_69226_an_unreadable_file_need_not_be_told_from_a_missing_one(directory: Path) -> None:
    class Unreadable(StaticFiles):
        def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
            raise PermissionError

    assert await status_of(Unreadable(directory=directory), "/app.css") == 401
    assert await status_of(Unreadable(directory=directory, unreadable_status=404), "/app.css") == 404


def test_a_fallback_page_serves_every_address_of_a_single_page_application(directory: Path) -> None:
    response = client(StaticFiles(directory=directory, fallback="pages/index.html")).get("/static/any/where")

    assert (response.status_code, response.text) == (200, FILES["pages/index.html"])


@pytest.mark.parametrize(("accepted", "coding"), [("br, gzip", "br"), ("gzip", "gzip"), ("br;q=0", None), ("", None)])
def test_precompressed_files_are_served_to_who_accepts_them(directory: Path, accepted: str, coding: str | None) -> None:
    (directory / "app.css.br").write_bytes(b"brotli")
    (directory / "app.css.gz").write_bytes(b"gzip")
    files = client(StaticFiles(directory=directory, precompressed=True))
    with files.stream("GET", "/static/app.css", headers={"accept-encoding": accepted}) as response:
        body = b"".join(response.iter_raw())

    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert body == {"br": b"brotli", "gzip": b"gzip", None: FILES["app.css"].encode()}[coding]


def test_a_compressed_file_older_than_its_original_is_not_served(directory: Path) -> None:
    (directory / "app.css.br").write_bytes(b"old")
    os.utime(directory / "app.css.br", (1, 1))
    files = client(StaticFiles(directory=directory, precompressed=True))
    response = files.get("/static/app.css", headers={"accept-encoding": "br"})

    assert response.text == FILES["app.css"]


def test_a_wrong_directory_is_an_error_and_not_a_riddle(directory: Path) -> None:
    with pytest.raises(RuntimeError, match="does not exist"):
        StaticFiles(directory=directory / "none")
    with pytest.raises(RuntimeError, match="does not exist"):
        client(StaticFiles(directory=directory / "none", check_dir=False)).get("/static/x")
    with pytest.raises(RuntimeError, match="is not a directory"):
        client(StaticFiles(directory=directory / "app.css", check_dir=False)).get("/static/x")
    with pytest.raises(AssertionError, match="could not be found"):
        StaticFiles(packages=["core"])


def test_a_long_list_of_tags_is_read_in_linear_time(directory: Path) -> None:
    files = StaticFiles(directory=directory)
    started = time.perf_counter()
    for hostile in ('"' * 1_000_000, '"a",' * 250_000, "W/" * 500_000, "," * 1_000_000):
        client(files).get("/static/app.css", headers={"if-none-match": hostile})

    assert time.perf_counter() - started < 2


async def body_of(files: StaticFiles, path: str, headers: dict[str, str] | None = None) -> bytes:
    return (await answer(files, http_scope(path=path, headers=headers))).body


async def test_a_file_is_looked_for_once_as_long_as_it_stays_the_same(directory: Path) -> None:
    watched = WatchedDirectory(directory)
    files = SettledFiles(directory=watched)
    first = await body_of(files, "/app.css")
    before = watched.uses

    assert first == await body_of(files, "/app.css") == FILES["app.css"].encode()
    assert watched.uses == before
    (directory / "app.css").write_text("body { color: green }")
    assert await body_of(files, "/app.css") == b"body { color: green }"


async def test_a_file_that_was_looked_at_a_moment_ago_is_served_without_another_look(directory: Path) -> None:
    class Trusting(SettledFiles):
        trusted_for = 3600

    files = Trusting(directory=directory)
    for _ in range(2):
        await body_of(files, "/app.css")
    (directory / "app.css").unlink()

    assert await body_of(files, "/app.css") == FILES["app.css"].encode()


async def test_a_subclass_that_makes_the_responses_itself_is_asked_each_time(directory: Path) -> None:
    class Counting(SettledFiles):
        served = 0

        def file_response(self, *arguments: Any, **more: Any) -> Response:
            self.served += 1
            response = super().file_response(*arguments, **more)
            response.headers["x-served"] = str(self.served)
            return response

    files = Counting(directory=directory)
    for number in ("1", "2"):
        sent = await answer(files, http_scope(path="/app.css"))
        assert (sent.headers["x-served"], sent.body) == (number, FILES["app.css"].encode())
    unchanged = http_scope(path="/app.css", headers={"if-none-match": sent.headers["etag"]})
    assert (await answer(files, unchanged)).status == 304


async def test_a_page_is_the_answer_to_its_own_address_and_to_missing_ones(directory: Path) -> None:
    files = SettledFiles(directory=directory, html=True)
    (directory / "404.html").write_text("lost")
    for path, status in (("/404.html", 200), ("/missing", 404), ("/404.html", 200)):
        sent = await answer(files, http_scope(path=path))
        assert (sent.status, sent.body) == (status, b"lost")


async def test_a_file_changed_a_moment_ago_is_not_remembered(directory: Path) -> None:
    watched = WatchedDirectory(directory)
    files = StaticFiles(directory=watched)
    await body_of(files, "/app.css")
    before = watched.uses

    await body_of(files, "/app.css")
    assert watched.uses > before


async def test_a_remembered_file_is_not_served_once_its_name_leads_out_of_the_directory(directory: Path) -> None:
    files = SettledFiles(directory=directory)
    assert await body_of(files, "/app.css")
    (directory / "app.css").unlink()
    (directory / "app.css").symlink_to(directory.parent / "secret")

    assert await status_of(files, "/app.css") == 404


async def test_a_link_that_is_moved_on_to_another_release_is_followed(directory: Path) -> None:
    for release in ("1", "2"):
        (directory / release).mkdir()
        (directory / release / "app.css").write_text(release)
    (directory / "current").symlink_to(directory / "1")
    files = SettledFiles(directory=directory)
    assert await body_of(files, "/current/app.css") == b"1"
    (directory / "current").unlink()
    (directory / "current").symlink_to(directory / "2")

    assert await body_of(files, "/current/app.css") == b"2"


async def test_a_file_that_appears_in_an_earlier_directory_is_served(directory: Path, package: str) -> None:
    files = SettledFiles(directory=directory, packages=[package])
    assert await body_of(files, "/logo.svg") == b"<svg/>"
    (directory / "logo.svg").write_text("<svg></svg>")

    assert await body_of(files, "/logo.svg") == b"<svg></svg>"


async def test_a_compressed_file_that_appears_later_is_served(directory: Path) -> None:
    files = SettledFiles(directory=directory, precompressed=True)
    accepting = {"accept-encoding": "gzip"}
    assert await body_of(files, "/app.css", accepting) == FILES["app.css"].encode()
    (directory / "app.css.gz").write_bytes(b"compressed")

    assert await body_of(files, "/app.css", accepting) == b"compressed"
    assert await body_of(files, "/app.css") == FILES["app.css"].encode()


async def test_a_compressed_file_does_not_stand_for_another_directorys_file(directory: Path, package: str) -> None:
    (directory / "logo.svg").write_text("<svg>ours</svg>")
    (directory.parent / package / "statics" / "logo.svg.gz").write_bytes(b"theirs")
    files = StaticFiles(directory=directory, packages=[package], precompressed=True)

    assert await body_of(files, "/logo.svg", {"accept-encoding": "gzip"}) == b"<svg>ours</svg>"


async def test_a_compressed_file_that_leads_out_of_the_directory_is_not_served(directory: Path) -> None:
    (directory / "app.css.gz").symlink_to(directory.parent / "secret")
    files = StaticFiles(directory=directory, precompressed=True)

    assert await body_of(files, "/app.css", {"accept-encoding": "gzip"}) == FILES["app.css"].encode()


async def test_a_subclass_that_finds_files_itself_is_asked_each_time(directory: Path) -> None:
    class Withdrawing(SettledFiles):
        is_withdrawn = False

        def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
            return ("", None) if self.is_withdrawn else super().lookup_path(path)

    files = Withdrawing(directory=directory)
    assert await status_of(files, "/app.css") == 200
    files.is_withdrawn = True

    assert await status_of(files, "/app.css") == 404


async def test_a_file_that_changes_while_it_is_looked_up_is_sent_as_it_was_announced_or_not_at_all(
    directory: Path,
) -> None:
    class Disturbed(StaticFiles):
        def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
            found = super().lookup_path(path)
            (directory / "app.css").write_text("short")
            return found

    with pytest.raises(RuntimeError, match="shorter than expected"):
        await body_of(Disturbed(directory=directory), "/app.css")


async def test_a_file_that_vanishes_while_it_is_looked_up_is_not_found(directory: Path) -> None:
    class Vanishing(StaticFiles):
        def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
            found = super().lookup_path(path)
            (directory / "app.css").unlink()
            return found

    assert await status_of(Vanishing(directory=directory), "/app.css") == 404


async def test_other_errors_of_the_file_system_are_raised(directory: Path) -> None:
    class Broken(StaticFiles):
        def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await body_of(Broken(directory=directory), "/app.css")


async def test_only_so_many_files_are_remembered(directory: Path) -> None:
    watched = WatchedDirectory(directory)
    files = SettledFiles(directory=watched)
    for number in range(MOST_REMEMBERED):
        (directory / f"{number}.txt").write_text("")
        await status_of(files, f"/{number}.txt")
    await status_of(files, "/0.txt")
    await status_of(files, "/app.css")
    before = watched.uses

    await status_of(files, "/0.txt")
    assert watched.uses == before
    await status_of(files, "/1.txt")
    assert watched.uses > before


async def test_a_large_file_is_not_kept_in_memory(directory: Path) -> None:
    large = b"x" * (FileResponse.chunk_size + 1)
    (directory / "large").write_bytes(large)
    files = SettledFiles(directory=directory)

    for _ in range(2):
        sent = await answer(files, http_scope(path="/large"))
        assert (sent.body, len(sent.chunks)) == (large, 2)


async def test_the_head_and_ranges_of_a_remembered_file_are_right(directory: Path) -> None:
    files = SettledFiles(directory=directory)
    for _ in range(2):
        head = await answer(files, http_scope("HEAD", "/app.css"))
        part = await answer(files, http_scope(path="/app.css", headers={"range": "bytes=2-3"}))
        assert (head.body, head.headers["content-length"]) == (b"", str(len(FILES["app.css"])))
        assert (part.status, part.body) == (206, FILES["app.css"].encode()[2:4])


async def test_a_header_added_to_one_answer_is_not_on_the_next(directory: Path) -> None:
    class Marking(SettledFiles):
        async def get_response(self, path: str, scope: Scope) -> Response:
            response = await super().get_response(path, scope)
            response.headers.append("x-mark", "here")
            return response

    files = Marking(directory=directory)
    for _ in range(3):
        sent = await answer(files, http_scope(path="/app.css"))
        assert [name for name, _ in sent.messages[0]["headers"]].count(b"x-mark") == 1


async def test_a_hashed_file_is_served_without_a_look_at_the_file_system(directory: Path) -> None:
    class SettledHashedFiles(HashedStaticFiles):
        settled_after = -1

    files = SettledHashedFiles(directory=directory)
    assert await body_of(files, "/app.css") == FILES["app.css"].encode()
    (directory / "app.css").unlink()

    assert await body_of(files, "/app.css") == FILES["app.css"].encode()


@pytest.fixture
def hashed(directory: Path) -> HashedStaticFiles:
    return HashedStaticFiles(directory=directory)


def test_a_hashed_address_is_cached_for_ever_and_a_plain_one_never(hashed: HashedStaticFiles) -> None:
    url = hashed.url("app.css")
    kept, plain = client(hashed).get(url), client(hashed).get("/static/app.css")

    assert url == f"/static/{hashed.digest()}/app.css"
    assert kept.text == plain.text == FILES["app.css"]
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"


def test_relative_imports_stay_below_the_digest(hashed: HashedStaticFiles) -> None:
    base = hashed.url("app.css").removesuffix("app.css")

    assert client(hashed).get(f"{base}js/menu.js").status_code == 200


def test_the_digest_of_another_release_is_served_but_not_kept(hashed: HashedStaticFiles) -> None:
    response = client(hashed).get(f"/static/{'0' * 16}/app.css")

    assert (response.status_code, response.headers["cache-control"]) == (200, "no-cache")


def test_a_not_modified_answer_says_how_long_it_lasts(hashed: HashedStaticFiles) -> None:
    etag = client(hashed).get(hashed.url("app.css")).headers["etag"]
    response = client(hashed).get(hashed.url("app.css"), headers={"if-none-match": etag})

    assert (response.status_code, "immutable" in response.headers["cache-control"]) == (304, True)


def test_the_first_request_may_come_before_any_page_was_made(directory: Path) -> None:
    url = HashedStaticFiles(directory=directory).url("app.css")

    assert "immutable" in client(HashedStaticFiles(directory=directory)).get(url).headers["cache-control"]


def test_a_changed_file_changes_the_digest_while_debugging(directory: Path) -> None:
    debugged, fixed = HashedStaticFiles(directory=directory, debug=True), HashedStaticFiles(directory=directory)
    before = debugged.url("app.css")
    assert fixed.url("app.css") == before
    assert debugged.url("app.css") == before
    (directory / "js" / "menu.js").write_text("export const changed = true")

    assert debugged.url("app.css") != before
    assert fixed.url("app.css") == before


def test_equal_trees_have_equal_digests_and_contents_cannot_move_between_files(tmp_path: Path) -> None:
    trees = [
        {"a": "1", "b": "2"},
        {"a": "1", "b": "2"},
        {"a": "2", "b": "1"},
        {"a": "", "b": "12"},
        {"a": "12", "b": ""},
        {"a": "b12"},
    ]
    digests = []
    for number, tree in enumerate(trees):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in tree.items():
            (folder / name).write_text(content)
        digests.append(HashedStaticFiles(directory=folder).digest())

    assert digests[0] == digests[1]
    assert len(set(digests)) == 5


def test_linking_to_a_file_that_does_not_exist_is_an_error(hashed: HashedStaticFiles) -> None:
    for name in ("css/typo.css", ".env", "../secret"):
        with pytest.raises(LookupError, match="There is no static file"):
            hashed.url(name)


def test_neither_hidden_files_nor_links_to_the_outside_are_in_the_tree(directory: Path) -> None:
    (directory / "link").symlink_to(directory.parent / "secret")
    hashed = HashedStaticFiles(directory=directory)

    for name in (".env", "link"):
        with pytest.raises(LookupError):
            hashed.url(name)
        assert client(hashed).get(f"/static/{name}").status_code == 404


def test_a_compressed_sibling_is_served_from_a_hashed_address(directory: Path) -> None:
    (directory / "app.css.gz").write_bytes(gzip.compress(b"compressed"))
    hashed = HashedStaticFiles(directory=directory)
    response = client(hashed).get(hashed.url("app.css"), headers={"accept-encoding": "gzip"})

    assert (response.text, response.headers["content-encoding"]) == ("compressed", "gzip")
    assert "immutable" in response.headers["cache-control"]


def test_hidden_files_are_not_served_below_a_digest(hashed: HashedStaticFiles) -> None:
    assert client(hashed).get(f"/static/{hashed.digest()}/.env").status_code == 404


async def test_files_are_served_on_both_event_loops(hashed: HashedStaticFiles) -> None:
    app = Starlette(routes=[Mount("/static", hashed)])
    url = await anyio.to_thread.run_sync(hashed.url, "app.css")

    assert (await AsyncTestClient(app).get(url)).text == FILES["app.css"]


def test_a_device_is_not_a_file(directory: Path) -> None:
    os.mkfifo(directory / "pipe")

    assert stat.S_ISFIFO((directory / "pipe").stat().st_mode)
    assert client(StaticFiles(directory=directory)).get("/static/pipe").status_code == 404


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "packaged"
    (folder / "statics").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "statics" / "logo.svg").write_text("<svg/>")
    monkeypatch.syspath_prepend(tmp_path)
    return "packaged"


def test_packages_are_searched_after_the_directory(directory: Path, package: str) -> None:
    files = client(StaticFiles(directory=directory, packages=[package, (package, "statics")]))
    alone = client(StaticFiles(packages=[package]))

    assert files.get("/static/logo.svg").text == alone.get("/static/logo.svg").text == "<svg/>"
    assert (files.get("/static/app.css").status_code, alone.get("/static/app.css").status_code) == (200, 404)

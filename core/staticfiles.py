"""Files served from directories, with conditional requests (RFC 9110 section 13).

Finding a file takes a visit to a worker thread. What was found is remembered with the state of every place that was looked
at, and holds as long as those are unchanged: one `os.stat` each, which on a local disk takes less than a twentieth of the
visit, and is made at most once a millisecond. Small files are remembered with their contents.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import mimetypes
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from os import PathLike, stat_result
from pathlib import Path

import anyio.to_thread

from core._accept import accepted_encodings
from core._utils import get_route_path
from core.datastructures import URL, Headers
from core.exceptions import HTTPException
from core.responses import FileResponse, RedirectResponse, Response
from core.types import Receive, Scope, Send
from core.websockets import WebSocketClose

__all__ = ["HashedStaticFiles", "NotModifiedResponse", "StaticFiles"]

PathLikeText = str | PathLike[str]
Packages = Sequence[str | tuple[str, str]]

# Headers that a 304 repeats from the response it stands for (RFC 9110 section 15.4.5).
KEPT_WHEN_NOT_MODIFIED = frozenset({b"cache-control", b"content-location", b"date", b"etag", b"expires", b"vary"})

# Headers of requests that may be answered with it.
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})

# Types that Python's own table lacks, or that depend on the machine's.
MEDIA_TYPES = {
    ".avif": "image/avif",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

# Content codings with the suffix of the file that holds them, the smallest first.
PRECOMPRESSED = {"br": ".br", "gzip": ".gz"}

IMMUTABLE = "public, max-age=31536000, immutable"
DIGEST_LENGTH = 16
DIGEST_CHARACTERS = frozenset("0123456789abcdef")

# How many files each StaticFiles remembers; those of at most 64 KiB with their contents, so 32 MiB together.
MOST_REMEMBERED = 512
LARGEST_CONTENT = FileResponse.chunk_size

# What changes whenever a file is replaced, written to, or opened to other readers.
State = tuple[int, ...]


@dataclass(slots=True)
class Found:
    """A file or directory, its content if that is small, and the state of all places that were looked at to find it.

    `coding` is its content coding if it stands for another file, which is named `original`. Of `response`, made for the first
    request, the others get copies. `look_again_at` is a time of the monotonic clock, in seconds.
    """

    path: str
    status: stat_result
    original: str
    coding: str | None
    content: bytes | None
    looked_at: Sequence[tuple[str, State | None]] | None
    is_file: bool
    response: FileResponse | None = None
    look_again_at: float = 0.0

    def is_current(self, trusted_for: float) -> bool:
        """Whether all places are as they were, when they were last looked at not longer ago than that, in seconds."""
        now = time.monotonic()
        if now >= self.look_again_at:
            if any(_state_of(place) != state for place, state in self.looked_at or ()):
                return False
            self.look_again_at = now + trusted_for
        return True

    def may_be_remembered(self, settled_after: float) -> bool:
        changed_at = max(self.status.st_mtime, self.status.st_ctime)
        return self.looked_at is not None and changed_at < time.time() - settled_after


class NotModifiedResponse(Response):
    """304, with those headers of the full response that caches need."""

    def __init__(self, headers: Headers) -> None:
        super().__init__(status_code=304)
        self.raw_headers = [field for field in headers.raw if field[0] in KEPT_WHEN_NOT_MODIFIED]


class StaticFiles:
    """An ASGI application that serves the files below a directory, or below the `statics` folders of packages.

    `html=True` serves index.html for a directory and 404.html for what is missing. Beyond Starlette's parameters:

    - `cache_control`: the Cache-Control header of files.
    - `precompressed`: serve `app.css.br` or `app.css.gz` for `app.css` to clients that accept it.
    - `hidden_files=False`: names that begin with a dot are not found.
    - `fallback`: the file served, with status 200, where none is found (`index.html` of a single-page application).
    - `unreadable_status`: the answer to a file without read permission; 404 does not tell that it exists.
    """

    # Seconds. Some file systems count time in steps of two: in a file that is younger, another change might not show.
    settled_after = 2.0
    # Seconds, in which a remembered file is served without another look at the file system.
    trusted_for = 0.001

    def __init__(
        self,
        *,
        directory: PathLikeText | None = None,
        packages: Packages | None = None,
        html: bool = False,
        check_dir: bool = True,
        follow_symlink: bool = False,
        cache_control: str | None = None,
        precompressed: bool = False,
        hidden_files: bool = True,
        fallback: str | None = None,
        unreadable_status: int = 401,
    ) -> None:
        self.directory = directory
        self.packages = packages
        self.all_directories = self.get_directories(directory, packages)
        self.html = html
        self.config_checked = False
        self.follow_symlink = follow_symlink
        self.cache_control = cache_control
        self.precompressed = precompressed
        self.hidden_files = hidden_files
        self.fallback = fallback
        self.unreadable_status = unreadable_status
        self._remembered: dict[tuple[str, tuple[str, ...]], Found] = {}
        self._headers = {} if cache_control is None else {"cache-control": cache_control}
        if precompressed:
            self._headers["vary"] = "Accept-Encoding"
        if check_dir and directory is not None and not Path(directory).is_dir():
            raise RuntimeError(f"Directory '{directory}' does not exist")

    def get_directories(
        self, directory: PathLikeText | None = None, packages: Packages | None = None
    ) -> list[PathLikeText]:
        """Return the directories in the order in which they are searched. Raises AssertionError for a missing package."""
        directories = [] if directory is None else [directory]
        return directories + [_package_directory(package) for package in packages or ()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        response = await self.get_response(self.get_path(scope), scope)
        await response(scope, receive, send)

    def get_path(self, scope: Scope) -> str:
        """Return the path below the directory that the request names, "." for the directory itself."""
        segments = get_route_path(scope).split("/")
        return "/".join([segment for segment in segments if segment not in ("", ".")]) or "."

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Raises HTTPException: 405, 404, or the status for unreadable files."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        found = await self._find(path, self._accepted(scope))
        if found is not None and found.is_file:
            return self._respond(found, scope)
        response = None
        if self.html and found is not None and stat.S_ISDIR(found.status.st_mode):
            response = await self._index_response(path, scope)
        return response or await self._missing_response(scope)

    def lookup_path(self, path: str) -> tuple[str, stat_result | None]:
        """Return the first existing file or directory of this name with its status, or ("", None). Blocks.

        A path that could lead out of the directories is refused before the file system is asked: on Windows merely
        looking at `\\\\host\\share` sends the user's credentials to that host.
        """
        if self._is_refused(path):
            return "", None
        for directory in self.all_directories:
            candidate = self._locate(Path(directory), path)
            if candidate is not None:
                try:
                    return str(candidate), candidate.stat()
                except (FileNotFoundError, NotADirectoryError):
                    continue
        return "", None

    def file_response(
        self, full_path: PathLikeText, stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the file, or 304 if the client has it already."""
        media_type = _media_type(os.fspath(full_path))
        response = FileResponse(full_path, status_code, self._headers, media_type, stat_result=stat_result)
        return self._unless_known(response, scope)

    async def check_config(self) -> None:
        """Raises RuntimeError if the directory is missing, so that a wrong path is no riddle of 404s."""
        if self.directory is None:
            return
        if not await anyio.to_thread.run_sync(Path(self.directory).exists):
            raise RuntimeError(f"StaticFiles directory '{self.directory}' does not exist.")
        if not await anyio.to_thread.run_sync(Path(self.directory).is_dir):
            raise RuntimeError(f"StaticFiles path '{self.directory}' is not a directory.")

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Whether the request's conditions say that the client's copy is current (RFC 9110 section 13.2.2)."""
        if_none_match = request_headers.get("if-none-match")
        if if_none_match is not None:
            etag = response_headers.get("etag", "").removeprefix("W/")
            return if_none_match.strip() == "*" or etag in _entity_tags(if_none_match)
        try:
            known = parsedate_to_datetime(request_headers["if-modified-since"])
            return known >= parsedate_to_datetime(response_headers["last-modified"])
        except (KeyError, ValueError, TypeError, OverflowError):
            # Neither header, or a date that is none (or of no zone, or no calendar): the condition does not count.
            return False

    async def _find(self, path: str, codings: tuple[str, ...] = ()) -> Found | None:
        key = path, codings
        found = self._remembered.pop(key, None)
        if found is None or not found.is_current(self.trusted_for):
            found = await self._visit(path, codings)
            if found is None or not found.may_be_remembered(self.settled_after):
                return found
        # The last in the dict is the one used last.
        self._remembered[key] = found
        if len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return found

    async def _visit(self, path: str, codings: tuple[str, ...]) -> Found | None:
        try:
            return await anyio.to_thread.run_sync(self._look_up, path, codings)
        except PermissionError:
            raise HTTPException(self.unreadable_status) from None
        except OSError as error:
            if error.errno not in (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT):
                raise
            return None
        except UnicodeEncodeError:
            # A path with a lone surrogate names no file on any system.
            return None

    def _look_up(self, path: str, codings: tuple[str, ...]) -> Found | None:
        siblings = {coding: path + PRECOMPRESSED[coding] for coding in codings}
        # Noted before it is used: a change in between is then seen at the next request.
        looked_at = self._state_of_places(path, *siblings.values())
        original, status = self.lookup_path(path)
        if status is None:
            return None
        full_path, coding, is_file = original, None, stat.S_ISREG(status.st_mode)
        for candidate, name in siblings.items() if is_file else ():
            sibling, its_status = self.lookup_path(name)
            if its_status is not None and _stands_for(sibling, its_status, original, status):
                full_path, status, coding = sibling, its_status, candidate
                break
        return Found(full_path, status, original, coding, _content_of(full_path, status), looked_at, is_file)

    def _state_of_places(self, *names: str) -> list[tuple[str, State | None]] | None:
        """Return None if they cannot tell, because a subclass looks elsewhere or a path is refused."""
        if type(self).lookup_path.__module__ != __name__ or self._is_refused(names[0]):
            return None
        places = [str(Path(directory, name)) for name in names for directory in self.all_directories]
        return [(place, _state_of(place)) for place in places]

    def _is_refused(self, path: str) -> bool:
        parts = path.split("/")
        return (
            "\0" in path
            or path.startswith(("/", "\\"))
            or ".." in parts
            or Path(path).is_absolute()
            or ("\\" in path and ".." in path.split("\\"))
            or (not self.hidden_files and any(part.startswith(".") and part != "." for part in parts))
        )

    def _locate(self, directory: Path, path: str) -> Path | None:
        root = directory.absolute() if self.follow_symlink else directory.resolve()
        try:
            candidate = root / path if self.follow_symlink else (root / path).resolve()
        except RuntimeError:
            # Older Pythons say so of a loop of symbolic links.
            return None
        # By components: as text, "/srv/static-secret" begins with "/srv/static".
        return candidate if candidate.is_relative_to(root) else None

    def _accepted(self, scope: Scope) -> tuple[str, ...]:
        return tuple(accepted_encodings(scope["headers"], PRECOMPRESSED)) if self.precompressed else ()

    def _respond(self, found: Found, scope: Scope, status_code: int = 200) -> Response:
        if found.coding is None and type(self).file_response is not StaticFiles.file_response:
            response = self.file_response(found.path, found.status, scope, status_code)
            if isinstance(response, FileResponse) and response.stat_result is found.status:
                response.content = found.content
            return response
        if found.response is None:
            found.response = self._response_of(found)
        copy = found.response.copy()
        copy.status_code = status_code
        return self._unless_known(copy, scope)

    def _response_of(self, found: Found) -> FileResponse:
        headers = self._headers if found.coding is None else {**self._headers, "content-encoding": found.coding}
        response = FileResponse(found.path, 200, headers, _media_type(found.original), stat_result=found.status)
        response.content = found.content
        return response

    def _unless_known(self, response: FileResponse, scope: Scope) -> Response:
        # The page of a 404 is not what the client has a copy of.
        if response.status_code != 200 or CONDITIONS.isdisjoint(dict(scope["headers"])):
            return response
        if self.is_not_modified(response.headers, Headers(raw=scope["headers"])):
            return NotModifiedResponse(response.headers)
        return response

    async def _index_response(self, path: str, scope: Scope) -> Response | None:
        index = await self._find(f"{path}/index.html", self._accepted(scope))
        if index is None or not index.is_file:
            return None
        url = URL(scope=scope)
        if not url.path.endswith("/"):
            return RedirectResponse(str(url.replace(path=f"{url.path}/")))
        return self._respond(index, scope)

    async def _missing_response(self, scope: Scope) -> Response:
        for name, status_code in ((self.fallback, 200), ("404.html" if self.html else None, 404)):
            found = await self._find(name) if name else None
            if found is not None and found.is_file:
                return self._respond(found, scope, status_code)
        raise HTTPException(404)


class HashedStaticFiles(StaticFiles):
    """Static files that are cached for ever, because their URLs change with their contents.

    `url("css/app.css")` is `/static/<digest>/css/app.css`. The digest is that of the whole tree, so that relative imports
    inside style sheets and modules stay within it. With `debug` a changed file changes the digest at once; otherwise the
    tree is read once, and a file that is remembered is served without a look at the file system. Hidden and unreadable
    files are not found.
    """

    def __init__(self, *, directory: PathLikeText, prefix: str = "/static", debug: bool = False) -> None:
        super().__init__(directory=directory, precompressed=True, hidden_files=False, unreadable_status=404)
        self.prefix = prefix.rstrip("/")
        self.debug = debug
        self._root = Path(directory).absolute()
        self._files: dict[str, stat_result] = {}
        self._digest = ""

    def url(self, path: str) -> str:
        """Return the path to link to. Raises LookupError if there is no such file."""
        digest = self.digest()
        if path not in self._files:
            raise LookupError(f"There is no static file {path!r} in {str(self.directory)!r}.")
        return f"{self.prefix}/{digest}/{path}"

    def digest(self) -> str:
        """Return the digest of all paths and contents. Blocks while it reads the files."""
        if self.debug or not self._digest:
            files = dict(self._walk())
            if not self._digest or _versions(files) != _versions(self._files):
                self._digest = self._hash(files)
            self._files = files
        return self._digest

    async def get_response(self, path: str, scope: Scope) -> Response:
        current = self._digest
        if self.debug or not current:
            current = await anyio.to_thread.run_sync(self.digest)
        digest, _, rest = path.partition("/")
        is_hashed = len(digest) == DIGEST_LENGTH and DIGEST_CHARACTERS.issuperset(digest)
        response = await super().get_response(rest if is_hashed else path, scope)
        # The digest of an older or newer release names contents that may differ from ours, which must not be kept.
        response.headers["cache-control"] = IMMUTABLE if digest == current else "no-cache"
        return response

    def lookup_path(self, path: str) -> tuple[str, stat_result | None]:
        """Return the file of this name with the status it had when the tree was read, or ("", None)."""
        status = self._files.get(path)
        return ("", None) if status is None else (str(self._root / path), status)

    def _state_of_places(self, *names: str) -> list[tuple[str, State | None]] | None:
        return super()._state_of_places(*names) if self.debug else []

    def _walk(self) -> Iterator[tuple[str, stat_result]]:
        for path in sorted(self._root.rglob("*")):
            name = path.relative_to(self._root).as_posix()
            located = None if self._is_refused(name) else self._locate(self._root, name)
            if located is not None and located.is_file() and os.access(located, os.R_OK):
                yield name, located.stat()

    def _hash(self, files: Iterable[str]) -> str:
        digest = hashlib.sha256()
        for name in files:
            content = (self._root / name).read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()[:DIGEST_LENGTH]


def _versions(files: dict[str, stat_result]) -> dict[str, tuple[int, int]]:
    return {name: (status.st_mtime_ns, status.st_size) for name, status in files.items()}


def _package_directory(package: str | tuple[str, str]) -> str:
    name, folder = (package, "statics") if isinstance(package, str) else package
    spec = importlib.util.find_spec(name)
    directory = Path(spec.origin).parent / folder if spec is not None and spec.origin is not None else None
    if directory is None or not directory.is_dir():
        raise AssertionError(f"Directory '{folder}' in package {name!r} could not be found.")
    return str(directory)


def _state_of(path: str) -> State | None:
    try:
        return _state(os.stat(path))  # noqa: PTH116 - making a Path would double the time.
    except (OSError, ValueError):
        return None


def _state(status: stat_result) -> State:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _stands_for(sibling: str, status: stat_result, original: str, original_status: stat_result) -> bool:
    # An older one was made from an earlier state of the file, one in another directory from another file.
    is_newer = status.st_mtime >= original_status.st_mtime
    return stat.S_ISREG(status.st_mode) and is_newer and Path(sibling).parent == Path(original).parent


def _content_of(path: str, status: stat_result) -> bytes | None:
    """Return the content of a small file, unless it has changed since its status was taken."""
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_CONTENT:
        return None
    with Path(path).open("rb") as file:
        is_unchanged = _state(os.fstat(file.fileno())) == _state(status)
        content = file.read(status.st_size)
    return content if is_unchanged and len(content) == status.st_size else None


def _entity_tags(field: str) -> set[str]:
    """Return the tags in a list of them, quotes included, without the mark of weak ones (RFC 9110 section 8.8.3)."""
    # Between quotes stand tags, which may contain commas; the pieces outside hold nothing but commas and W/.
    return {f'"{tag}"' for tag in field.split('"')[1:-1:2]}


@lru_cache(maxsize=MOST_REMEMBERED)
def _media_type(path: str) -> str:
    suffix = path[path.rfind(".") :].lower()
    return MEDIA_TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"

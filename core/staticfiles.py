"""Files served from directories, with conditional requests (RFC 9110 section 13)."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import mimetypes
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
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

# The content coding, path and status of a compressed file.
Compressed = tuple[str, str, stat_result]

# Headers that a 304 repeats from the response it stands for (RFC 9110 section 15.4.5).
KEPT_WHEN_NOT_MODIFIED = ("cache-control", "content-location", "date", "etag", "expires", "vary")

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


class NotModifiedResponse(Response):
    """304, with those headers of the full response that caches need."""

    def __init__(self, headers: Headers) -> None:
        kept = {name: value for name, value in headers.items() if name in KEPT_WHEN_NOT_MODIFIED}
        super().__init__(status_code=304, headers=kept)


class StaticFiles:
    """An ASGI application that serves the files below a directory, or below the `statics` folders of packages.

    `html=True` serves index.html for a directory and 404.html for what is missing. Beyond Starlette's parameters:

    - `cache_control`: the Cache-Control header of files.
    - `precompressed`: serve `app.css.br` or `app.css.gz` for `app.css` to clients that accept it.
    - `hidden_files=False`: names that begin with a dot are not found.
    - `fallback`: the file served, with status 200, where none is found (`index.html` of a single-page application).
    - `unreadable_status`: the answer to a file without read permission; 404 does not tell that it exists.
    """

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
        return "/".join(segment for segment in segments if segment not in ("", ".")) or "."

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Raises HTTPException: 405, 404, or the status for unreadable files."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        found = await self._find(path)
        if found is not None and stat.S_ISREG(found[1].st_mode):
            return await self._serve(*found, scope)
        response = None
        if self.html and found is not None and stat.S_ISDIR(found[1].st_mode):
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
        media_type = MEDIA_TYPES.get(Path(full_path).suffix.lower())
        response = FileResponse(full_path, status_code, self._headers(), media_type, stat_result=stat_result)
        # The page of a 404 is not what the client has a copy of.
        return self._unless_known(response, scope) if status_code == 200 else response

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

    async def _find(self, path: str) -> tuple[str, stat_result] | None:
        try:
            full_path, status = await anyio.to_thread.run_sync(self.lookup_path, path)
        except PermissionError:
            raise HTTPException(self.unreadable_status) from None
        except OSError as error:
            if error.errno not in (errno.ENAMETOOLONG, errno.ELOOP):
                raise
            return None
        except UnicodeEncodeError:
            # A path with a lone surrogate names no file on any system.
            return None
        return None if status is None else (full_path, status)

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

    async def _serve(self, full_path: str, status: stat_result, scope: Scope) -> Response:
        codings = accepted_encodings(Headers(scope=scope), PRECOMPRESSED) if self.precompressed else []
        compressed = await self._find_compressed(full_path, status, codings) if codings else None
        if compressed is None:
            return self.file_response(full_path, status, scope)
        coding, path, status = compressed
        headers = {**self._headers(), "content-encoding": coding}
        response = FileResponse(path, 200, headers, _media_type(full_path), stat_result=status)
        return self._unless_known(response, scope)

    async def _find_compressed(self, full_path: str, original: stat_result, codings: list[str]) -> Compressed | None:
        return await anyio.to_thread.run_sync(_first_compressed, full_path, original, codings, Path.stat)

    def _unless_known(self, response: FileResponse, scope: Scope) -> Response:
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response

    def _headers(self) -> dict[str, str]:
        headers = {} if self.cache_control is None else {"cache-control": self.cache_control}
        return {**headers, "vary": "Accept-Encoding"} if self.precompressed else headers

    async def _index_response(self, path: str, scope: Scope) -> Response | None:
        index = await self._find(f"{path}/index.html")
        if index is None or not stat.S_ISREG(index[1].st_mode):
            return None
        url = URL(scope=scope)
        if not url.path.endswith("/"):
            return RedirectResponse(str(url.replace(path=f"{url.path}/")))
        return await self._serve(*index, scope)

    async def _missing_response(self, scope: Scope) -> Response:
        for name, status_code in ((self.fallback, 200), ("404.html" if self.html else None, 404)):
            found = await self._find(name) if name else None
            if found is not None and stat.S_ISREG(found[1].st_mode):
                return self.file_response(*found, scope, status_code)
        raise HTTPException(404)


class HashedStaticFiles(StaticFiles):
    """Static files that are cached for ever, because their URLs change with their contents.

    `url("css/app.css")` is `/static/<digest>/css/app.css`. The digest is that of the whole tree, so that relative imports
    inside style sheets and modules stay within it. With `debug` a changed file changes the digest at once; otherwise the
    tree is read once, and asking for a file costs no look at the file system but for its content. Hidden and unreadable
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

    async def _find(self, path: str) -> tuple[str, stat_result] | None:
        status = self._files.get(path)
        return None if status is None else (str(self._root / path), status)

    async def _find_compressed(self, full_path: str, original: stat_result, codings: list[str]) -> Compressed | None:
        return _first_compressed(full_path, original, codings, self._known_status)

    def _known_status(self, path: Path) -> stat_result:
        try:
            return self._files[path.relative_to(self._root).as_posix()]
        except KeyError:
            raise FileNotFoundError(path) from None

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


def _first_compressed(
    full_path: str, original: stat_result, codings: list[str], status_of: Callable[[Path], stat_result]
) -> Compressed | None:
    for coding in codings:
        path = full_path + PRECOMPRESSED[coding]
        try:
            status = status_of(Path(path))
        except OSError:
            continue
        # An older one was made from an earlier state of the file.
        if stat.S_ISREG(status.st_mode) and status.st_mtime >= original.st_mtime:
            return coding, path, status
    return None


def _entity_tags(field: str) -> set[str]:
    """Return the tags in a list of them, quotes included, without the mark of weak ones (RFC 9110 section 8.8.3)."""
    # Between quotes stand tags, which may contain commas; the pieces outside hold nothing but commas and W/.
    return {f'"{tag}"' for tag in field.split('"')[1:-1:2]}


def _media_type(path: str) -> str:
    return MEDIA_TYPES.get(Path(path).suffix.lower()) or mimetypes.guess_type(path)[0] or "application/octet-stream"

"""Files on this machine's disk, in a folder that no web server serves."""

import os
import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from anyio.to_thread import run_sync

CHUNK = 256 * 1024


class LocalStorage:
    """Keeps each file below `folder`, spread over folders by the beginning of its key. All work is in threads."""

    name = "local"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"

    async def put(self, key: str, source: BinaryIO) -> None:
        await run_sync(self._put, key, source)

    async def delete(self, key: str) -> None:
        await run_sync(self._delete, key)

    async def find_path(self, key: str) -> Path | None:
        return self._path(key)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        with await run_sync(self._path(key).open, "rb") as file:
            await run_sync(file.seek, start)
            while start < end and (chunk := await run_sync(file.read, min(CHUNK, end - start))):
                start += len(chunk)
                yield chunk

    async def tidy(self, before: datetime) -> None:
        await run_sync(self._tidy, before.timestamp())

    def _path(self, key: str) -> Path:
        if not (key.isascii() and key.isalnum()):
            raise ValueError("A key is made of letters and digits.")
        return self._folder / key[:2] / key[2:4] / key

    def _put(self, key: str, source: BinaryIO) -> None:
        """Under another name until all of it is on the disk: nobody ever sees half a file."""
        path, draft = self._path(key), self._incoming / key
        for folder in (path.parent, self._incoming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._write(draft, source)
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)

    def _write(self, draft: Path, source: BinaryIO) -> None:
        source.seek(0)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())

    def _delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _tidy(self, before: float) -> None:
        for draft in self._incoming.glob("*"):
            if draft.stat().st_mtime < before:
                draft.unlink(missing_ok=True)

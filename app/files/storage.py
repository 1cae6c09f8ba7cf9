"""Where the bytes of files are: what every storage does, and which one the settings name.

A key is made by `new_key`, never from anything that a person typed.
"""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from app.config import Settings
from app.config_files import FileSettings
from app.errors import Refusal
from app.files.local_storage import LocalStorage
from app.language import N_


class StorageFails(Refusal):
    """The storage is full or cannot be reached. It is our trouble, not the person's."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(N_("We cannot keep or fetch files at the moment. Try again in a few minutes."))


class Storage(Protocol):
    """Keeps bytes under keys. Everything raises OSError where the storage is full, broken or out of reach."""

    name: str

    async def put(self, key: str, source: BinaryIO) -> None:
        """Keep the whole of `source` under a new key: all of it or, whatever happens, nothing."""

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is forgotten already."""

    async def find_path(self, key: str) -> Path | None:
        """Where the bytes are on this machine's disk; None for a storage that is elsewhere."""

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""

    async def tidy(self, before: datetime) -> None:
        """Remove what interrupted uploads left behind before that time."""


def new_key() -> str:
    """192 random bits in hexadecimal digits."""
    return secrets.token_hex(24)


def storage_in_use(settings: Settings) -> Storage:
    """The storage that new files go to."""
    return storage_named(settings, settings.files.storage)


def storage_named(settings: Settings, name: str) -> Storage:
    """The storage that a file's row names: files stay where they were put when the settings change."""
    if name == "s3":
        return _s3_storage(settings.files)
    return LocalStorage(settings.data_directory / "files")


@lru_cache(maxsize=4)
def _s3_storage(files: FileSettings) -> Storage:
    # Imported here, because it is an extra: who keeps files on the disk does not have it.
    from app.files.s3_storage import S3Storage

    return S3Storage(files)

"""Files in a bucket of any store that speaks S3."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app.config_files import FileSettings

PREFIX = "files/"
CHUNK = 1024 * 1024
TIMEOUTS: Any = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(minutes=5),
}  # Any: a TypedDict of a stub.
RETRIES: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}  # Any: as above.


class S3Storage:
    """Keeps each file as one object, in parts where it is large; an upload that stops halfway makes no object."""

    name = "s3"

    def __init__(self, files: FileSettings) -> None:
        keys: Any = {}  # Any: keyword arguments, of which the stub knows each by itself.
        if files.access_key_id:
            keys = {"access_key_id": files.access_key_id, "secret_access_key": str(files.secret_access_key)}
        if files.endpoint:
            keys["endpoint"] = files.endpoint
        options = TIMEOUTS | {"allow_http": files.endpoint.startswith("http://")}
        self._store = S3Store(files.bucket, region=files.region, client_options=options, retry_config=RETRIES, **keys)

    async def put(self, key: str, source: BinaryIO) -> None:
        source.seek(0)
        try:
            await obstore.put_async(self._store, PREFIX + key, source)
        except BaseError as error:
            raise _as_os_error(error) from None

    async def delete(self, key: str) -> None:
        try:
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, PREFIX + key)
        except BaseError as error:
            raise _as_os_error(error) from None

    async def find_path(self, key: str) -> Path | None:
        return None

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start == end:
            return
        try:
            found = await obstore.get_async(self._store, PREFIX + key, options={"range": (start, end)})
            async for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)
        except BaseError as error:
            raise _as_os_error(error) from None

    async def tidy(self, before: datetime) -> None:
        """Nothing to do: parts without an object are the bucket's to expire, by a lifecycle rule."""


def _as_os_error(error: BaseError) -> OSError:
    # The message of the client has addresses and perhaps headers in it; the kind of failure is what the log needs.
    return OSError(f"The S3 store failed: {type(error).__name__}")

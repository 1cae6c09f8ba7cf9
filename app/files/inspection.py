"""Looking at an upload: what it is, how large and which bytes, pictures made anew. All of it away from the event loop."""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from anyio.to_thread import run_sync

from app.files.content_types import HEAD, recognise
from app.files.models import IMAGE_TYPES
from app.images import reencode

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Content:
    """The bytes that will be kept, and what was found out about them."""

    file: BinaryIO
    content_type: str
    size: int
    sha256: str


@asynccontextmanager
async def inspected(upload: BinaryIO, filename: str) -> AsyncIterator[Content]:
    """What an upload is. Raises NotWhatItsNameSays, UnusableImage, and OSError for a full disk.

    Temporary files have no name, so that nothing is left of them whatever happens.
    """
    content_type = recognise(filename, await run_sync(_head, upload))
    if content_type not in IMAGE_TYPES:
        yield await run_sync(_measured, upload, content_type)
        return
    with await run_sync(tempfile.TemporaryFile) as made:
        await reencode(upload, filename, made)
        yield await run_sync(_measured, made, content_type)


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _measured(file: BinaryIO, content_type: str) -> Content:
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return Content(file, content_type, size, digest.hexdigest())

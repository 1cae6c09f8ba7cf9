"""Sending a file: as a download or, a picture that we made ourselves, in the browser; never as a page of ours."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from anyio.to_thread import run_sync

from app.config import Settings
from app.files.models import File
from app.files.ranges import wanted_part
from app.files.storage import Storage, StorageFails, storage_named
from core.requests import Request
from core.responses import FileResponse, Response, StreamingResponse

# Whatever is in the file: no sniffing, no scripts, no origin, no copy in a cache, in nobody's frame and in no other site's page.
HEADERS = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}


async def deliver(request: Request, settings: Settings, file: File, *, inline: bool) -> Response:
    """The answer to a download, or to a part of one (RFC 9110 section 14). Raises StorageFails."""
    storage = storage_named(settings, file.storage)
    kind = "inline" if inline and file.is_image else "attachment"
    path = await storage.find_path(file.key)
    try:
        if path is not None:
            return await _from_disk(path, file, kind)
        return await _from_elsewhere(request, storage, file, kind)
    except OSError:
        raise StorageFails from None


async def _from_disk(path: Path, file: File, kind: str) -> Response:
    found: os.stat_result = await run_sync(path.stat)
    return FileResponse(
        path,
        headers=HEADERS,
        media_type=file.content_type,
        filename=file.filename,
        stat_result=found,
        content_disposition_type=kind,
    )


async def _from_elsewhere(request: Request, storage: Storage, file: File, kind: str) -> Response:
    tag = f'"{file.sha256}"'
    part = wanted_part(request.headers.get("range"), request.headers.get("if-range"), size=file.size, tag=tag)
    # FileResponse writes the name into its header as RFC 6266 has it; nothing is sent by this one.
    named = FileResponse(file.key, filename=file.filename, content_disposition_type=kind)
    headers = {
        **HEADERS,
        **part.headers,
        "content-disposition": named.headers["content-disposition"],
        "accept-ranges": "bytes",
        "etag": tag,
    }
    if part.status_code == 416:
        return Response(status_code=416, headers=headers)
    chunks = await _begun(storage.read(file.key, part.start, part.end))
    return StreamingResponse(chunks, part.status_code, headers, media_type=file.content_type)


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same chunks, the first one fetched already: a storage that does not answer is an error page, no broken file."""
    first = await anext(chunks, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return all_of_them()

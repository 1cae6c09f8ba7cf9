"""Pictures that people upload: taken for nothing that they claim to be, and re-encoded elsewhere."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO, Any, BinaryIO

import anyio
from anyio import CapacityLimiter, run_process
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from app import image_worker
from app.errors import Refusal
from app.language import N_

AT_ONCE = 2
DEADLINE = 20.0  # Seconds, waiting included.
LARGEST_UPLOAD = 8 * 1024 * 1024
LARGEST_SQUARE = 64 * 1024
SQUARE_TYPE = "image/webp"

_limiter: RunVar[CapacityLimiter] = RunVar("image_limiter")


class UnusableImage(Refusal):
    """The file is no picture of a kind that we take, or more of one than we decode."""

    def __init__(self) -> None:
        super().__init__(N_("Choose a PNG, JPEG, WebP or GIF picture of at most 8 MB and 40 megapixels."))


@dataclass(frozen=True)
class Crop:
    """Which square of a picture is meant: where it lies in the room it has (0 to 1 each way), and how far it zooms in."""

    x: float | None = None
    y: float | None = None
    zoom: float = 1.0


async def square(content: bytes, filename: str, *, size: int, crop: Crop | None = None) -> bytes:
    """A square WebP of `size` pixels each way, of at most 64 KB. Raises UnusableImage.

    The name's ending, the first bytes and the whole content must agree. The middle is cut out unless `crop` says otherwise.
    """
    extension = Path(filename).suffix.lower().removeprefix(".")
    if extension not in image_worker.FORMATS or not 0 < len(content) <= LARGEST_UPLOAD:
        raise UnusableImage
    wish = {"extension": extension, "size": size, "largest": LARGEST_SQUARE, **asdict(crop or Crop())}
    done = await _work(wish, input=content, stdout=PIPE)
    if not done:
        raise UnusableImage
    return done


async def reencode(source: BinaryIO, filename: str, into: BinaryIO) -> None:
    """Write the whole picture in `source` into the file `into`, made anew from its pixels. Raises UnusableImage.

    The kind stays what the name's ending says; moving GIFs keep moving. What the camera wrote, comments, colour profiles and
    whatever hangs behind the picture are gone. No part of it passes through this process.
    """
    extension = Path(filename).suffix.lower().removeprefix(".")
    if extension not in image_worker.FORMATS:
        raise UnusableImage
    descriptor = await run_sync(_from_the_start, source)
    await _work({"extension": extension}, stdin=descriptor, stdout=into)


def _from_the_start(source: BinaryIO) -> int:
    source.seek(0)
    descriptor = source.fileno()  # A spooled file moves to the disk here.
    source.flush()
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


async def _work(wish: dict[str, Any], *, stdout: int | IO[bytes], **channels: Any) -> bytes:  # Any: JSON; run_process.
    """Have the worker fulfil a wish; returns what it wrote to a pipe. Raises UnusableImage."""
    command = [sys.executable, "-I", image_worker.__file__, json.dumps(wish)]
    work = partial(run_process, command, stdout=stdout, stderr=DEVNULL, check=False, **channels)
    try:
        with anyio.fail_after(DEADLINE):
            async with _places():
                done = await work()
    except TimeoutError:
        raise UnusableImage from None
    if done.returncode != 0:
        raise UnusableImage
    return done.stdout or b""


def _places() -> CapacityLimiter:
    """Few pictures at once: each may take a core and much memory."""
    try:
        return _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
        return limiter

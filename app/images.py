"""Pictures that people upload: taken for nothing that they claim to be, and re-encoded elsewhere."""

import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
from anyio import CapacityLimiter, run_process
from anyio.lowlevel import RunVar

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
    command = [sys.executable, "-I", image_worker.__file__, json.dumps(wish)]
    work = partial(run_process, command, input=content, stdout=PIPE, stderr=DEVNULL, check=False)
    try:
        with anyio.fail_after(DEADLINE):
            async with _places():
                done = await work()
    except TimeoutError:
        raise UnusableImage from None
    if done.returncode != 0 or not done.stdout:
        raise UnusableImage
    return done.stdout


def _places() -> CapacityLimiter:
    """Few pictures at once: each may take a core and much memory."""
    try:
        return _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
        return limiter

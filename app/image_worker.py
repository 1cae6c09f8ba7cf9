"""Decodes one picture that a stranger sent, in a process of its own: `python -I app/image_worker.py '{…}' < picture > made anew`.

A picture can be made to exhaust memory or time, or to find a mistake in a decoder. Here that ends a process that holds
nothing, within limits that the operating system keeps. It exits with 0, or with 2 for a picture that is not taken.
"""

import contextlib
import io
import json
import sys
import warnings

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 12_000
MEMORY = 1024**3  # Bytes of address space.
SECONDS = 8  # Of the processor's time.
REFUSED = 2


def main() -> int:
    limit_resources()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error")
    wish = json.loads(sys.argv[1])
    try:
        content = sys.stdin.buffer.read()
        made = cut_square(content, wish) if "size" in wish else reencode(content, FORMATS[wish["extension"]])
    except (
        OSError,
        ValueError,
        SyntaxError,
        MemoryError,
        Warning,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ):
        return REFUSED
    sys.stdout.buffer.write(made)
    return 0


def limit_resources() -> None:
    """Systems without `resource` (Windows) have the time limit of the caller alone."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def cut_square(content: bytes, wish: dict[str, float | str | None]) -> bytes:
    """The wished part of a picture, re-encoded from its pixels alone: no metadata and no trailing data survive."""
    with Image.open(io.BytesIO(content), formats=[FORMATS[str(wish["extension"])]]) as opened:
        require_size(opened)
        opened.load()
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    size = int(wish["size"] or 0)
    cut = picture.crop(box_of(picture.width, picture.height, wish))
    return encode(cut.resize((size, size), Image.Resampling.LANCZOS), int(wish["largest"] or 0))


def require_size(opened: Image.Image) -> None:
    """Before anything is decoded. Raises ValueError."""
    width, height = opened.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ValueError("too many pixels")


def reencode(content: bytes, kind: str) -> bytes:
    """The same picture in the same format, from its pixels alone."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=[kind]) as opened:
        require_size(opened)
        opened.load()
        if kind == "GIF" and getattr(opened, "n_frames", 1) > 1:
            save_frames(opened, out)
            return out.getvalue()
        picture = ImageOps.exif_transpose(opened).convert(mode_for(opened, kind))
    picture.info = {}  # Comments and profiles, which would be saved again.
    picture.save(out, kind, quality=90)
    return out.getvalue()


def mode_for(picture: Image.Image, kind: str) -> str:
    """A mode that the format can hold, without a palette of which a part is told elsewhere."""
    if picture.mode in ("L", "LA", "RGB", "RGBA") and (kind != "JPEG" or picture.mode in ("L", "RGB")):
        return picture.mode
    return "RGB" if kind == "JPEG" else "RGBA"


def save_frames(opened: Image.Image, out: io.BytesIO) -> None:
    """Pictures that follow each other; together they count as one as regards their pixels."""
    frames: list[Image.Image] = []
    durations: list[int] = []
    for frame in ImageSequence.Iterator(opened):
        if (len(frames) + 1) * frame.width * frame.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        durations.append(frame.info.get("duration", 100))
        frames.append(frame.convert("RGBA"))
        frames[-1].info = {}
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=2)


def box_of(width: int, height: int, wish: dict[str, float | str | None]) -> tuple[int, int, int, int]:
    """The square to cut: `x` and `y` say where it lies in the room it has, and `zoom` how much smaller it is."""
    side = max(1, round(min(width, height) / float(wish["zoom"] or 1)))
    left = round((width - side) * float(wish["x"] if wish["x"] is not None else 0.5))
    top = round((height - side) * float(wish["y"] if wish["y"] is not None else 0.5))
    return left, top, left + side, top + side


def encode(picture: Image.Image, largest: int) -> bytes:
    """WebP of at most `largest` bytes, by giving up quality."""
    for quality in (85, 70, 50, 30):
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=quality, method=4)
        if out.tell() <= largest:
            return out.getvalue()
    raise ValueError("too large")


if __name__ == "__main__":
    sys.exit(main())

"""Pictures that people upload, the hostile ones included."""

import io
import struct
import zlib

import pytest
from PIL import Image

from app.images import LARGEST_SQUARE, Crop, UnusableImage, square


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    """Red on the left third, green in the middle, blue on the right."""
    image = Image.new("RGB", size, "green")
    third = size[0] // 3
    image.paste("red", (0, 0, third, size[1]))
    image.paste("blue", (2 * third, 0, size[0], size[1]))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that would decode to `width` x `height` pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def middle(content: bytes) -> tuple[int, ...]:
    image = Image.open(io.BytesIO(content), formats=["WEBP"]).convert("RGB")
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(round(value / 128) for value in pixel)


async def test_the_middle_is_cut_out_and_encoded_anew() -> None:
    for kind, extension in (("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("GIF", "gif")):
        cut = await square(picture(kind), f"me.{extension}", size=64)
        image = Image.open(io.BytesIO(cut), formats=["WEBP"])
        assert (image.size, middle(cut)) == ((64, 64), (0, 1, 0))
        assert len(cut) <= LARGEST_SQUARE


async def test_another_part_can_be_chosen() -> None:
    assert middle(await square(picture(), "me.png", size=64, crop=Crop(0, 0.5, 3))) == (2, 0, 0)
    assert middle(await square(picture(), "me.png", size=64, crop=Crop(1, 0.5, 3))) == (0, 0, 2)


@pytest.mark.requirement("UPL-2")
async def test_what_the_camera_wrote_is_obeyed_and_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by 90 degrees.
    exif[0x010F] = "secret camera"
    content = picture("JPEG", (40, 60), exif=exif)
    cut = await square(content, "me.jpeg", size=64, crop=Crop(0.5, 0.5, 1))

    assert b"secret camera" in content
    assert b"secret camera" not in cut
    assert not Image.open(io.BytesIO(cut)).getexif()


@pytest.mark.requirement("UPL-2")
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "me.png"),
        (b"no picture at all", "me.png"),
        (picture("PNG"), "me.jpg"),
        (picture("PNG"), "me.svg"),
        (picture("PNG"), "me"),
        (picture("PNG")[:60], "me.png"),
        (picture("BMP"), "me.bmp"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "me.png"),
        (b"GIF89a/*<script>*/=1;alert(1)", "me.gif"),
        (b"%PDF-1.4 <html><script>alert(1)</script>", "me.jpg"),
    ],
)
async def test_what_is_no_picture_of_its_kind_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(UnusableImage):
        await square(content, name, size=64)


@pytest.mark.requirement("UPL-2")
async def test_what_hangs_behind_a_picture_does_not_survive() -> None:
    cut = await square(picture() + b"<script>alert(1)</script>", "me.png", size=64)
    assert b"script" not in cut


@pytest.mark.requirement("UPL-3")
@pytest.mark.parametrize(("width", "height"), [(9000, 9000), (30000, 100), (65000, 65000)])
async def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    content = (
        bomb(width, height)
        if width * height < 10**8
        else bomb(64, 64).replace(struct.pack(">II", 64, 64), struct.pack(">II", width, height))
    )
    assert len(content) < 20_000
    with pytest.raises(UnusableImage):
        await square(content, "me.png", size=64)

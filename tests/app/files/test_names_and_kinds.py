"""What files are called, and what they are."""

import io
import tempfile

import pytest
from PIL import Image

from app.files.content_types import BYTES, KINDS, NotWhatItsNameSays, recognise
from app.files.filenames import clean_filename
from app.files.ranges import wanted_part
from app.files.sizes import size_text
from app.images import UnusableImage, reencode
from tests.app.test_images import bomb, picture


@pytest.mark.requirement("UPL-4")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("C:\\Users\\ada\\plan.pdf", "plan.pdf"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        ("", "file"),
        ("\u202e\u200b", "file"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie_ x.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("nul", "_nul"),
        ("Com1 .txt", "_Com1 .txt"),
        ("COM¹.txt", "_COM¹.txt"),
        ("console.txt", "console.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ("x" * 300, "x" * 200),
        ("x" * 300 + ".tar", "x" * 196 + ".tar"),
        ("x." + "y" * 300, "x." + "y" * 198),
        ("日本語.txt", "日本語.txt"),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_are_freed_of_what_means_something_to_a_system(typed: str, kept: str) -> None:
    assert clean_filename(typed) == kept


@pytest.mark.requirement("UPL-2")
@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
        ("a.PDF", b"\xef\xbb\xbf%PDF-1.7", "application/pdf"),
        ("a.docx", b"PK\x03\x04", KINDS["docx"].media_type),
        ("a.zip", b"PK\x05\x06", "application/zip"),
        ("a.tar", bytes(257) + b"ustar", "application/x-tar"),
        ("a.mp4", b"\0\0\0\x18ftypmp42", "video/mp4"),
        ("a.txt", "Gjøa".encode(), "text/plain"),
        ("a.txt", "Gjø".encode()[:-1], "text/plain"),
        ("a.csv", b"\xff\xfea\0", "text/csv"),
        ("a.txt", b"", "text/plain"),
        ("a.html", b"<script>", BYTES),
        ("a.svg", b"<svg>", BYTES),
        ("a.exe", b"MZ", BYTES),
        ("README", b"Ahoy", BYTES),
        ("a.tar.gz", b"\x1f\x8b", "application/gzip"),
    ],
)
def test_extension_and_content_say_together_what_a_file_is(name: str, head: bytes, kind: str) -> None:
    assert recognise(name, head) == kind


@pytest.mark.requirement("UPL-2")
@pytest.mark.parametrize("name", sorted(f"a.{extension}" for extension in KINDS))
def test_no_known_kind_takes_the_content_of_a_program(name: str) -> None:
    with pytest.raises(NotWhatItsNameSays):
        recognise(name, b"MZ\x90\x00\x03\x00\x00\x00" + bytes(500))


async def remade(content: bytes, name: str) -> Image.Image:
    out = io.BytesIO()
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as made:
        source.write(content)
        await reencode(source, name, made)
        made.seek(0)
        out.write(made.read())
    return Image.open(out)


@pytest.mark.requirement("UPL-2")
async def test_a_picture_is_made_anew_as_large_as_it_was_without_what_was_written_into_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by 90 degrees.
    for kind, name in (("PNG", "a.png"), ("JPEG", "a.jpeg"), ("WEBP", "a.webp"), ("GIF", "a.gif")):
        made = await remade(picture(kind, (60, 40), **({"exif": exif} if kind == "JPEG" else {})), name)
        assert (made.format, made.size) == (kind, (40, 60) if kind == "JPEG" else (60, 40))
        assert not made.getexif()
    commented = await remade(picture("JPEG", comment=b"a secret"), "a.jpg")
    assert "comment" not in commented.info


async def test_what_moves_keeps_moving_and_what_is_transparent_stays_so() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=70, comment=b"a secret")
    made = await remade(out.getvalue(), "a.gif")
    assert (getattr(made, "n_frames", 1), made.info.get("duration"), "comment" in made.info) == (3, 70, False)

    out = io.BytesIO()
    Image.new("P", (20, 20)).save(out, "PNG", transparency=0)
    made = await remade(out.getvalue(), "a.png")
    assert made.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.requirement("UPL-2", "UPL-3")
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (bomb(9000, 9000), "a.png"),
        (picture()[:80], "a.png"),
        (picture("PNG"), "a.jpg"),
        (b"GIF89a/*<script>*/=1", "a.gif"),
        (b"", "a.webp"),
        (picture(), "a.svg"),
    ],
)
async def test_a_picture_that_cannot_be_made_anew_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(UnusableImage):
        await remade(content, name)


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        (None, 200, 0, 100),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=90-", 206, 90, 100),
        ("bytes=90-1000", 206, 90, 100),
        ("bytes=-10", 206, 90, 100),
        ("bytes=-1000", 206, 0, 100),
        ("bytes=-0", 416, 0, 0),
        ("bytes=100-", 416, 0, 0),
        ("bytes=9-5", 416, 0, 0),
        ("bytes=0-1,5-6", 200, 0, 100),
        ("bytes=-", 200, 0, 100),
        ("lines=0-1", 200, 0, 100),
        ("bytes=٣-٥", 200, 0, 100),
    ],
)
def test_one_range_is_understood_and_anything_else_is_the_whole_file(
    header: str | None, status: int, start: int, end: int
) -> None:
    part = wanted_part(header, None, size=100, tag='"a"')
    assert (part.status_code, part.start, part.end) == (status, start, end)


def test_a_range_of_another_version_is_the_whole_file() -> None:
    assert wanted_part("bytes=0-1", '"b"', size=100, tag='"a"').status_code == 200
    assert wanted_part("bytes=0-1", '"a"', size=100, tag='"a"').status_code == 206


def test_sizes_are_short() -> None:
    sizes = (0, 1023, 1024, 1500, 10 * 1024, 1024**2 - 1, 5 * 1024**2, 1024**3, 3 * 1024**4)
    assert [size_text(size) for size in sizes] == [
        *("0 bytes", "1023 bytes", "1 KB", "1.5 KB", "10 KB"),
        *("1 MB", "5 MB", "1 GB", "3,072 GB"),
    ]

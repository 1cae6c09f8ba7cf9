"""What a file is: its extension and its first bytes have to agree. Whoever sends it is not asked.

Kinds that nobody listed are kept and handed out as bytes, which no browser runs or shows: HTML, SVG and programs are among
them. Archives are never opened.
"""

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import Refusal
from app.files.filenames import extension_of
from app.language import N_

HEAD = 4096  # Bytes that are looked at.
BYTES = "application/octet-stream"
UNICODE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Check = Callable[[bytes], bool]


class NotWhatItsNameSays(Refusal):
    """The content is of another kind than the extension."""

    def __init__(self) -> None:
        super().__init__(
            N_("The content is not what the name's ending says. Check the file, or give it the right ending.")
        )


@dataclass(frozen=True)
class Kind:
    """A media type, and what the first bytes of such a file are like."""

    media_type: str
    is_like: Check


def begins(*marks: bytes, at: int = 0) -> Check:
    return lambda head: any(head[at : at + len(mark)] == mark for mark in marks)


def is_text(head: bytes) -> bool:
    """UTF-8 without NUL, or UTF-16 with its mark. The head may end inside a character."""
    if head.startswith(UNICODE_MARKS):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


ZIP = begins(b"PK\x03\x04", b"PK\x05\x06")
OLE = begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
MATROSKA = begins(b"\x1a\x45\xdf\xa3")
BOXES = begins(b"ftyp", b"moov", b"wide", b"mdat", at=4)
OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

KINDS: dict[str, Kind] = {
    "png": Kind("image/png", begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": Kind("image/jpeg", begins(b"\xff\xd8\xff")),
    "jpeg": Kind("image/jpeg", begins(b"\xff\xd8\xff")),
    "gif": Kind("image/gif", begins(b"GIF87a", b"GIF89a")),
    "webp": Kind("image/webp", begins(b"WEBP", at=8)),
    "pdf": Kind("application/pdf", lambda head: b"%PDF-" in head[:1024]),
    "zip": Kind("application/zip", ZIP),
    "docx": Kind(f"{OFFICE}wordprocessingml.document", ZIP),
    "xlsx": Kind(f"{OFFICE}spreadsheetml.sheet", ZIP),
    "pptx": Kind(f"{OFFICE}presentationml.presentation", ZIP),
    "odt": Kind(f"{OPEN_DOCUMENT}text", ZIP),
    "ods": Kind(f"{OPEN_DOCUMENT}spreadsheet", ZIP),
    "odp": Kind(f"{OPEN_DOCUMENT}presentation", ZIP),
    "epub": Kind("application/epub+zip", ZIP),
    "doc": Kind("application/msword", OLE),
    "xls": Kind("application/vnd.ms-excel", OLE),
    "ppt": Kind("application/vnd.ms-powerpoint", OLE),
    "gz": Kind("application/gzip", begins(b"\x1f\x8b")),
    "tgz": Kind("application/gzip", begins(b"\x1f\x8b")),
    "7z": Kind("application/x-7z-compressed", begins(b"7z\xbc\xaf\x27\x1c")),
    "tar": Kind("application/x-tar", begins(b"ustar", at=257)),
    "mp3": Kind("audio/mpeg", begins(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "wav": Kind("audio/wav", begins(b"WAVE", at=8)),
    "ogg": Kind("audio/ogg", begins(b"OggS")),
    "flac": Kind("audio/flac", begins(b"fLaC")),
    "m4a": Kind("audio/mp4", BOXES),
    "mp4": Kind("video/mp4", BOXES),
    "mov": Kind("video/quicktime", BOXES),
    "webm": Kind("video/webm", MATROSKA),
    "mkv": Kind("video/x-matroska", MATROSKA),
    "txt": Kind("text/plain", is_text),
    "md": Kind("text/markdown", is_text),
    "csv": Kind("text/csv", is_text),
    "tsv": Kind("text/tab-separated-values", is_text),
    "json": Kind("application/json", is_text),
    "log": Kind("text/plain", is_text),
}


def recognise(filename: str, head: bytes) -> str:
    """The media type of a file that begins with `head`. Raises NotWhatItsNameSays.

    Of a picture this is half the check: `app.images.reencode` decodes all of it.
    """
    kind = KINDS.get(extension_of(filename))
    if kind is None:
        return BYTES
    if head and not kind.is_like(head):
        raise NotWhatItsNameSays
    return kind.media_type

"""Which part of a file a client wants that has some of it already (RFC 9110 section 14)."""

import re
from dataclasses import dataclass

ONE_RANGE = re.compile(r"bytes=\s*(\d{0,19})-(\d{0,19})\s*", re.ASCII)


@dataclass(frozen=True)
class Part:
    """The bytes from `start` up to, not including, `end`, and the status and header fields that go with them."""

    status_code: int
    start: int
    end: int
    headers: dict[str, str]


def wanted_part(header: str | None, if_range: str | None, *, size: int, tag: str) -> Part:
    """One range is answered with 206. Several, or one of another version, with the whole file, as section 14.2 allows."""
    match = ONE_RANGE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "" or (if_range is not None and if_range != tag):
        return Part(200, 0, size, {"content-length": str(size)})
    start, end = _bounds(match[1], match[2], size)
    if start >= size or end <= start:
        return Part(416, 0, 0, {"content-range": f"bytes */{size}"})
    headers = {"content-range": f"bytes {start}-{end - 1}/{size}", "content-length": str(end - start)}
    return Part(206, start, end, headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:  # The last so many bytes.
        return max(size - int(last), 0), size if int(last) else 0
    return int(first), min(int(last) + 1, size) if last else size

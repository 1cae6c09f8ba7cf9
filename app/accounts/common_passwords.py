"""The passwords that attackers try first: 57,000 from leaks (`common_passwords_update` says where they are from)."""

import gzip
from bisect import bisect_left
from functools import lru_cache
from itertools import groupby
from pathlib import Path

FILE = Path(__file__).parent / "common_passwords.txt.gz"
# What people put around a common word; the list has the words without it as well.
DECORATION = "0123456789!?.,;:-_*#@$%&+= "


def is_listed(text: str) -> bool:
    """Whether exactly this, in lower case, is on the list."""
    wanted = text.encode()
    size = len(wanted)
    words = _words_by_size().get(size)
    if not words:
        return False
    place = bisect_left(range(len(words) // size), wanted, key=lambda index: _word(words, size, index))
    return _word(words, size, place) == wanted


def _word(words: bytes, size: int, index: int) -> bytes:
    return words[index * size : (index + 1) * size]


@lru_cache(maxsize=1)
def _words_by_size() -> dict[int, bytes]:
    """All words of one length in one piece, sorted: half a megabyte, where a set of strings would take six."""
    lines = gzip.decompress(FILE.read_bytes()).split()
    return {size: b"".join(words) for size, words in groupby(lines, key=len)}

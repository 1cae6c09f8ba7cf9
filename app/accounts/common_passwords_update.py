"""Makes the list of common passwords anew, after a newer version of a source is named here:

    npm pack @zxcvbn-ts/language-common@4.1.3
    pip download --no-deps django==5.2.19
    python -m app.accounts.common_passwords_update zxcvbn-ts-language-common-4.1.3.tgz django-5.2.19-py3-none-any.whl

The sources are the 49,000 passwords of zxcvbn-ts (MIT, © 2012-2016 Dan Wheeler and Dropbox, Inc., © 2021 zxcvbn-ts), the 20,000
of Django (BSD, © Django Software Foundation; compiled by Royce Williams), and what `common_passwords_added.txt` adds to them.
"""

import gzip
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from app.accounts.common_passwords import DECORATION, FILE

ADDED = Path(__file__).parent / "common_passwords_added.txt"
SHORTEST = 4  # Characters: what is shorter is in half of all good passwords.


def write_list(zxcvbn: Path, django: Path, made: Path) -> int:
    """Write the list to `made` from the packages of the two sources; returns how many words it has."""
    words = sorted(
        _spellings({*_of_zxcvbn(zxcvbn), *_of_django(django), *ADDED.read_text("utf-8").split()}),
        key=lambda word: (len(word), word),
    )
    # Without a time in it, the same sources always make the same file.
    made.write_bytes(gzip.compress(b"\n".join(words), compresslevel=9, mtime=0))
    return len(words)


def _of_zxcvbn(package: Path) -> list[str]:
    with tarfile.open(package) as archive:
        source = archive.extractfile("package/src/passwords.json")
        return [str(word) for word in json.load(source)] if source else []


def _of_django(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return gzip.decompress(archive.read("django/contrib/auth/common-passwords.txt.gz")).decode().split()


def _spellings(passwords: Iterable[str]) -> set[bytes]:
    """Each in lower case, as it is and without the digits and marks at its ends."""
    folded = {password.casefold() for password in passwords}
    spellings = folded | {password.strip(DECORATION) for password in folded}
    return {spelling.encode() for spelling in spellings if len(spelling) >= SHORTEST and len(spelling.split()) == 1}


if __name__ == "__main__":
    sys.stdout.write(f"{write_list(Path(sys.argv[1]), Path(sys.argv[2]), FILE)} words\n")

"""The storages: all or nothing, whatever goes wrong on the way. The S3 store is moto's server, over real HTTP."""

import io
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.config_files import FileSettings
from app.files.local_storage import LocalStorage
from app.files.s3_storage import S3Storage
from app.files.storage import Storage, new_key
from core.datastructures import Secret

BIG = bytes(range(256)) * 40_000  # Ten megabytes: more than one part of an upload to S3.


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return LocalStorage(tmp_path) if request.param == "local" else S3Storage(request.getfixturevalue("s3"))


async def content_of(storage: Storage, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in storage.read(key, start, end)])


async def test_what_was_put_is_read_whole_and_in_parts_and_gone_when_deleted(storage: Storage) -> None:
    key = new_key()
    await storage.put(key, io.BytesIO(BIG))

    assert await content_of(storage, key, 0, len(BIG)) == BIG
    assert await content_of(storage, key, 255, 258) == b"\xff\x00\x01"
    assert await content_of(storage, key, 5, 5) == b""
    await storage.delete(key)
    await storage.delete(key)
    with pytest.raises(OSError):  # noqa: PT011 - the contract of every storage is the class
        await content_of(storage, key, 0, 1)


async def test_an_empty_file_is_a_file(storage: Storage) -> None:
    key = new_key()
    await storage.put(key, io.BytesIO())
    assert await content_of(storage, key, 0, 0) == b""


class Broken(io.BytesIO):
    """Gives some bytes and then fails, as a disk does."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > len(BIG) // 2:
            raise OSError("input/output error")
        return super().read(size)


@pytest.mark.requirement("UPL-1")
async def test_an_upload_that_breaks_off_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    key = new_key()
    with pytest.raises(OSError, match=r"input/output|S3 store"):
        await storage.put(key, Broken(BIG))
    with pytest.raises(OSError):  # noqa: PT011 - as above
        await content_of(storage, key, 0, 1)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.fixture
async def full_disk(tmp_path: Path) -> AsyncIterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not (mount and unmount) or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("Only the superuser of a Linux system can mount a small disk.")
    yield folder
    subprocess.run([unmount, str(folder)], check=True)


@pytest.mark.requirement("UPL-1")
async def test_a_full_disk_keeps_no_part_of_a_file_and_takes_the_next_one(full_disk: Path) -> None:
    storage = LocalStorage(full_disk)
    with pytest.raises(OSError, match="No space left"):
        await storage.put(new_key(), io.BytesIO(BIG))
    assert [path for path in full_disk.rglob("*") if path.is_file()] == []

    key = new_key()
    await storage.put(key, io.BytesIO(b"small"))
    assert await content_of(storage, key, 0, 5) == b"small"


@pytest.mark.requirement("UPL-4")
async def test_files_on_disk_are_their_owners_alone_and_no_key_leads_out(tmp_path: Path) -> None:
    storage, key = LocalStorage(tmp_path / "files"), new_key()
    await storage.put(key, io.BytesIO(b"x"))
    path = await storage.find_path(key)

    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for bad in ("../../secret", "a/b", "", "a\0b"):
        with pytest.raises(ValueError, match="letters and digits"):
            await storage.find_path(bad)
    with pytest.raises(FileExistsError):
        await (LocalStorage(tmp_path / "files")).put(await blocked(tmp_path / "files"), io.BytesIO(b"x"))


async def blocked(folder: Path) -> str:
    """A key under which an upload is going on already."""
    key = new_key()
    (folder / "incoming" / key).touch()
    return key


async def test_what_a_killed_process_left_behind_is_tidied_away(tmp_path: Path) -> None:
    storage, incoming = LocalStorage(tmp_path), tmp_path / "incoming"
    await storage.tidy(datetime.now(UTC))
    incoming.mkdir()
    old, new = incoming / "old", incoming / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))

    await storage.tidy(datetime.now(UTC) - timedelta(days=1))
    assert (old.exists(), new.exists()) == (False, True)


async def test_a_store_that_is_not_there_fails_and_does_not_tell_its_secrets() -> None:
    storage = S3Storage(
        FileSettings(
            bucket="files", endpoint="http://127.0.0.1:9", access_key_id="key", secret_access_key=Secret("hush")
        )
    )
    with pytest.raises(OSError, match="The S3 store failed") as failure:
        await storage.put(new_key(), io.BytesIO(b"x"))
    assert "hush" not in repr(failure.value)
    assert failure.value.__suppress_context__

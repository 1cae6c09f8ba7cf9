"""Where uploaded files are kept, and how many bytes of them an organization may have."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field

from app.config_rules import one_of, origin, whole_number
from core.datastructures import Secret

STORAGES = ("local", "s3")
NO_SECRET = Secret("")
MEGABYTE = 1024 * 1024
DEFAULT_QUOTA = 1024  # Megabytes.


@dataclass(frozen=True, kw_only=True)
class FileSettings:
    """`quota` is in bytes, for each organization. Without keys the S3 client asks the machine it runs on for some."""

    storage: str = "local"
    quota: int = DEFAULT_QUOTA * MEGABYTE
    bucket: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = field(default="", repr=False)
    secret_access_key: Secret = NO_SECRET


Text = Callable[..., str]
Value = Callable[..., object]


def read_files(text: Text, value: Value) -> FileSettings:
    """Read the settings of files with the reader's `text` and `value`."""
    return FileSettings(
        storage=str(value("FILES_STORAGE", one_of(STORAGES), "local")),
        quota=int(str(value("FILES_QUOTA_MB", whole_number(1, 10**9), DEFAULT_QUOTA))) * MEGABYTE,
        bucket=text("S3_BUCKET"),
        endpoint=str(value("S3_ENDPOINT", origin, "")),
        region=text("S3_REGION", "us-east-1"),
        access_key_id=text("S3_ACCESS_KEY_ID"),
        secret_access_key=Secret(text("S3_SECRET_ACCESS_KEY")),
    )


def file_problems(files: FileSettings, *, is_production: bool) -> list[str]:
    """Why files could not be kept, or not safely."""
    if files.storage != "s3":
        return []
    problems = []
    if not files.bucket:
        problems.append("S3_BUCKET is missing: FILES_STORAGE=s3 keeps files in it.")
    if bool(files.access_key_id) != bool(files.secret_access_key):
        problems.append(
            "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together: set both, or neither for the machine's own role."
        )
    if is_production and files.endpoint.startswith("http://"):
        problems.append("S3_ENDPOINT must begin with https:// in production: files would travel in the clear.")
    if importlib.util.find_spec("obstore") is None:
        problems.append(
            "FILES_STORAGE=s3 needs the package obstore: install the extra with `pip install 'slipway[s3]'`."
        )
    return problems

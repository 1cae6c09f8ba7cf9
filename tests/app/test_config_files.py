"""The settings of files: where they are kept, and what is refused."""

import pytest

from app.config import SettingsError, load_settings
from tests.app.test_config import PRODUCTION

S3 = {
    "FILES_STORAGE": "s3",
    "S3_BUCKET": "acme",
    "S3_ENDPOINT": "https://s3.acme.test",
    "S3_ACCESS_KEY_ID": "AKACME",
    "S3_SECRET_ACCESS_KEY": "hush-7Jw2pQz9",
}


def test_files_are_kept_on_the_disk_unless_a_bucket_is_named() -> None:
    assert load_settings(PRODUCTION).files.storage == "local"
    files = load_settings({**PRODUCTION, **S3, "FILES_QUOTA_MB": "5"}).files
    assert (files.storage, files.bucket, files.region, files.quota) == ("s3", "acme", "us-east-1", 5 * 1024 * 1024)
    assert "hush" not in repr(files)
    assert "AKACME" not in repr(files)
    on_a_machine_with_a_role = {name: value for name, value in S3.items() if "KEY" not in name}
    assert load_settings({**PRODUCTION, **on_a_machine_with_a_role}).files.access_key_id == ""


@pytest.mark.requirement("KEY-1")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"FILES_STORAGE": "tape"}, "FILES_STORAGE must be one of local, s3"),
        ({"S3_BUCKET": ""}, "S3_BUCKET is missing"),
        ({"S3_SECRET_ACCESS_KEY": ""}, "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together"),
        ({"S3_ENDPOINT": "http://s3.acme.test"}, "S3_ENDPOINT must begin with https://"),
        ({"S3_ENDPOINT": "s3.acme.test"}, "S3_ENDPOINT must be an address"),
        ({"FILES_QUOTA_MB": "0"}, "FILES_QUOTA_MB must be a whole number"),
    ],
)
def test_what_would_lose_or_show_files_is_refused(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        load_settings({**PRODUCTION, **S3, **changes})
    assert "hush" not in str(caught.value)

"""Files in the browser: uploaded with and without scripts, downloaded, deleted and brought back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.test_images import picture
from tests.browser.steps import enter_demonstration
from tests.browser.visitors import Visitor

MEGABYTE = 1024 * 1024


@pytest.fixture
def papers(tmp_path: Path) -> list[Path]:
    """A picture, and more bytes than an ordinary form may have."""
    photo, chart = tmp_path / "photo.png", tmp_path / "chart.bin"
    photo.write_bytes(picture(size=(300, 200)))
    chart.write_bytes(bytes(3 * MEGABYTE))
    return [photo, chart]


def open_files(visitor: Visitor) -> None:
    enter_demonstration(visitor)
    # Uploading does not open another page, and axe may inspect one once: its own styles are refused by the policy.
    visitor.page.goto(f"{visitor.page.url}/files")


def upload(visitor: Visitor, papers: list[Path]) -> None:
    visitor.page.get_by_label("Upload files").set_input_files(papers)
    visitor.page.get_by_role("button", name="Upload", exact=True).click()
    expect(visitor.page.get_by_text("Your files are uploaded.")).to_be_visible()
    visitor.inspect()
    expect(visitor.page.get_by_role("row").filter(has_text="chart.bin").first).to_contain_text("3 MB")


def delete_and_bring_back(visitor: Visitor, name: str) -> None:
    rows = visitor.page.get_by_role("row").filter(has_text=name)
    before = rows.count()
    rows.first.get_by_role("button").click()
    expect(visitor.page.get_by_text(f"{name} is deleted.")).to_be_visible()
    expect(rows).to_have_count(before - 1)
    visitor.inspect()
    visitor.page.get_by_role("button", name="Undo").click()
    expect(visitor.page.get_by_text(f"{name} is back.")).to_be_visible()
    expect(rows).to_have_count(before)


@pytest.mark.parametrize("look", ["dark", "mobile"], indirect=True)
def test_files_are_uploaded_downloaded_deleted_and_brought_back(visitor: Visitor, papers: list[Path]) -> None:
    open_files(visitor)
    upload(visitor, papers)
    expect(visitor.page).to_have_url(re.compile("/files$"))
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download chart.bin").first.click()
    assert download.value.suggested_filename == "chart.bin"
    assert Path(download.value.path()).stat().st_size == 3 * MEGABYTE

    delete_and_bring_back(visitor, "photo.png")
    visitor.follow(visitor.page.get_by_role("link", name="Deleted files"))
    refused = papers[0].with_suffix(".pdf")
    refused.write_bytes(b"<script>alert(1)</script>")
    visitor.page.get_by_role("link", name="Back to the files").click()
    visitor.page.get_by_label("Upload files").set_input_files(refused)
    visitor.page.get_by_role("button", name="Upload", exact=True).click()
    expect(visitor.page.get_by_role("alert")).to_contain_text(
        "photo.pdf: The content is not what the name's ending says."
    )


def test_more_than_a_form_may_have_is_uploaded_without_scripts(plain_visitor: Visitor, papers: list[Path]) -> None:
    open_files(plain_visitor)
    upload(plain_visitor, papers)
    delete_and_bring_back(plain_visitor, "chart.bin")

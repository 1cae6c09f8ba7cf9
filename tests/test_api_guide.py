"""The guide to the API works as written, in a copy of the repository."""

from pathlib import Path

from tests.test_tutorial import ROOT, blocks, copy_repository, insert_lines, run


def test_the_guide_leads_to_a_described_and_tested_endpoint(tmp_path: Path) -> None:
    copy_repository(tmp_path)
    printed = ""
    for block in blocks(ROOT / "docs" / "guides" / "api.md"):
        if block.note.startswith("file="):
            path = tmp_path / block.note.removeprefix("file=")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "diff":
            insert_lines(tmp_path, block.text)
        elif block.language == "sh" and block.note != "skip":
            printed += run(block.text, tmp_path)
    assert " passed" in printed
    assert "failed" not in printed

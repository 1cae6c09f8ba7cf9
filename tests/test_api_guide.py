"""The guide to the API works as written, in a copy of the repository."""

from pathlib import Path

from tests.test_tutorial import ROOT, follow_page


def test_the_guide_leads_to_a_described_and_tested_endpoint(tmp_path: Path) -> None:
    printed = follow_page(ROOT / "docs" / "guides" / "api.md", tmp_path)
    assert " passed" in printed
    assert "failed" not in printed

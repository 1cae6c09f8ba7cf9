"""The example goes without a trace: the steps of docs/guides/organizations.md, in a copy of the repository."""

from pathlib import Path

from tests.test_tutorial import ROOT, copy_repository, follow, run
from tests.test_tutorial import blocks as blocks_of

# Those that see the whole product and need no database; collecting imports all other tests.
CHECKS = "tests/test_policy.py tests/test_requirements.py tests/app/translations/test_catalogues.py"


def test_a_product_without_the_example_is_whole(tmp_path: Path) -> None:
    copy_repository(tmp_path)
    steps = [block for block in blocks_of(ROOT / "docs/guides/organizations.md") if "app/projects" in block.text]
    for step in steps:
        follow(step, tmp_path)

    assert steps
    assert not (tmp_path / "app/projects").exists()
    assert "projects" not in run(".venv/bin/python -m app routes", tmp_path)
    assert " passed" in run(f".venv/bin/python -m pytest -q -x -p no:cacheprovider {CHECKS}", tmp_path)
    run(".venv/bin/python -m pytest -q --collect-only -p no:cacheprovider tests/app tests/isolation", tmp_path)

"""What `python -m app test` gives the tests. That it runs them is proved by every run."""

from pathlib import Path

from app.commands.test import environment_for_tests, has_room


def test_processes_share_what_one_has_compiled(tmp_path: Path) -> None:
    found = environment_for_tests({"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C"}, memory=tmp_path / "missing")

    assert found == {"LANG": "C"}


def test_a_folder_for_temporary_files_that_somebody_named_stays(tmp_path: Path) -> None:
    assert environment_for_tests({"TMPDIR": "/chosen"}, memory=tmp_path)["TMPDIR"] == "/chosen"


def test_a_file_system_in_memory_is_used_when_everything_fits(tmp_path: Path) -> None:
    assert has_room(tmp_path, room=1)
    assert not has_room(tmp_path, room=2**80)
    assert not has_room(tmp_path / "missing", room=1)

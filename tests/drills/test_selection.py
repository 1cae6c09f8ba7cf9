"""A selection of the drills, short enough for `make test`; `make drills` runs all of them at their full length."""

import pytest

from tests.drills import database_faults, full_disk, killed_workers, moved_clock, rolling_restart


@pytest.mark.requirement("REL-9")
def test_rel_9_ten_killed_workers_lose_no_job_and_double_no_effect() -> None:
    assert killed_workers.drill(kills=10) == []


@pytest.mark.requirement("REL-2", "REL-3")
def test_rel_3_a_silent_line_and_reset_connections_cost_503s_and_no_long_waits() -> None:
    assert database_faults.drill(database_faults.SHORT_FAULTS, calm_seconds=2.5) == []


@pytest.mark.requirement("REL-1")
def test_rel_1_all_server_processes_are_replaced_and_no_request_is_lost() -> None:
    assert rolling_restart.drill(restarts=1) == []


@pytest.mark.requirement("REL-12")
def test_rel_12_a_clock_that_is_two_hours_wrong_logs_nobody_out_and_stops_no_job() -> None:
    assert moved_clock.drill() == []


@pytest.mark.requirement("REL-13")
def test_rel_13_a_full_disk_is_503_until_there_is_room_again() -> None:
    assert full_disk.drill() == []

"""Identifiers of RFC 9562's version 7."""

import threading
import time
from uuid import RFC_4122, UUID

import time_machine

from app.ids import IncreasingIds, uuid7


def milliseconds_of(identifier: UUID) -> int:
    return identifier.int >> 80


def test_an_identifier_has_the_version_and_variant_of_the_rfc() -> None:
    identifier = uuid7()

    assert identifier.version == 7
    assert identifier.variant == RFC_4122


def test_an_identifier_begins_with_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    identifier = uuid7()

    assert before <= milliseconds_of(identifier) <= time.time_ns() // 1_000_000 + 1


def test_identifiers_only_grow() -> None:
    made = [uuid7() for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_identifiers_grow_even_when_the_clock_steps_back() -> None:
    ids = IncreasingIds()
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        later = ids.next()
    with time_machine.travel("2029-01-01T00:00:00Z", tick=False):
        assert ids.next() > later


def test_threads_never_make_the_same_identifier() -> None:
    made: list[UUID] = []

    def make_many() -> None:
        made.extend([uuid7() for _ in range(2_000)])

    threads = [threading.Thread(target=make_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


def test_two_identifiers_share_no_random_part() -> None:
    assert len({uuid7().int & 0xFFFF_FFFF for _ in range(1_000)}) > 990

"""Whatever arrives, a parser answers or refuses as documented, and what it answers makes sense."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS, WORDS
from tests.fuzz.targets import TARGETS

# Other processes may make any single example slow.
some = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", TARGETS)
def test_well_formed_input_is_read(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_answered_or_refused(name: str) -> None:
    pieces = st.one_of(st.sampled_from(WORDS[name]), st.sampled_from(SEEDS[name]), st.binary(max_size=4))

    @some
    @given(st.one_of(st.lists(pieces, max_size=30).map(b"".join), st.binary()))
    def check(data: bytes) -> None:
        TARGETS[name](data)

    check()

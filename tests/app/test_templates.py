"""What templates are given to say."""

from datetime import UTC, datetime, timedelta

import babel.dates
import time_machine
from hypothesis import example, given
from hypothesis import strategies as st

from app.templates import environment, relative_time

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@given(seconds=st.integers(-200_000_000, 200_000_000) | st.integers(-90_000, 90_000))
@example(51 * 60)
@example(-51)
def test_a_time_is_as_far_away_as_babel_says(seconds: int) -> None:
    with time_machine.travel(NOW, tick=False):
        said = relative_time(NOW + timedelta(seconds=seconds))

    # Babel rounds an exact half to the even neighbour, and we go to the next.
    outwards = seconds + (1 if seconds > 0 else -1)
    assert said in {
        babel.dates.format_timedelta(timedelta(seconds=each), add_direction=True, locale="en")
        for each in (seconds, outwards)
    }


def test_macros_called_in_loops_and_blocks_get_what_was_meant_for_them() -> None:
    template = environment().from_string(
        "{% macro item(text, mark='-') %}{{ mark }}{{ text }}{% endmacro %}{% macro end() %}{{ caller() }}{% endmacro %}"
        "{% block list %}{% for each in names %}{{ item(each, mark=loop.index) }}{% endfor %}"
        "{{ item('last') }}{% call end() %}!{% endcall %}{% endblock %}"
    )

    assert template.render(names=["<a>", "b"]) == "1&lt;a&gt;2b-last!"

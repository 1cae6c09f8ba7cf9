"""The tests of this feature begin with a time step of their own, so that none ends between a code and its use."""

import time
from collections.abc import Iterator

import pytest
import time_machine

from app.two_factor.authenticator_app import STEP_SECONDS


@pytest.fixture(autouse=True)
def fresh_step() -> Iterator[None]:
    beginning = time.time() // STEP_SECONDS * STEP_SECONDS
    with time_machine.travel(beginning, tick=True):
        yield

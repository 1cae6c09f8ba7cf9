"""Answers that take equally long for everybody, so that their time does not tell which addresses have an account.

Equal statements are not enough: one that writes a link takes a sixth of a millisecond longer than one that finds nobody to
write it for, and a few hundred requests from nearby show that.
"""

import time
from collections.abc import AsyncIterator
from typing import Annotated

import anyio

from core.params import Depends

# Several times what such an answer takes on a quiet machine. Where it takes longer than this, so much else goes on that the
# difference is not seen.
EVEN_SECONDS = 0.05


async def even_time() -> AsyncIterator[None]:
    """Hold the answer back until `EVEN_SECONDS` are over. What is asked for after this is finished before, the commit included."""
    began = time.monotonic()
    yield
    await anyio.sleep(max(began + EVEN_SECONDS - time.monotonic(), 0))


EvenTime = Annotated[None, Depends(even_time)]

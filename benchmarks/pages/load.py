"""The load: browsers (or programs) of many people at many addresses ask one server for the same page.

`python -m benchmarks.pages.load` reads lines of JSON, the fields of `Question`, and answers as `benchmarks.load` does.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import uvloop

from benchmarks.answering import answer_lines
from benchmarks.calls import WrongAnswer
from benchmarks.load import Connection, Run, rates
from benchmarks.scenarios import Scenario

# The product counts how often each address asks for JSON, 600 times a minute at most. So many can ask often enough.
ADDRESSES_OF_A_CONNECTION = 64


@dataclass(frozen=True)
class Question:
    """What is asked of which server, and for how long."""

    port: int
    process: int
    seconds: float
    path: str
    accept: str
    cookie: str
    expected: str

    @property
    def scenario(self) -> Scenario:
        return Scenario(
            self.path,
            self.path,
            headers=(("accept", self.accept), ("cookie", self.cookie)),
            expected=self.expected.encode(),
        )


class Visitors(Connection):
    """A connection of the proxy in front, which says who asks each time."""

    numbers = cycle(range(1 << 16))

    def __init__(self, scenario: Scenario, run: Run) -> None:
        super().__init__(scenario, run)
        forwarded = [f"x-forwarded-for: 10.1.{number >> 8}.{number & 255}\r\n".encode() for number in self._numbers()]
        self._requests = cycle([self.request[:-2] + line + b"\r\n" for line in forwarded])

    def ask(self) -> None:
        self.transport.write(next(self._requests))

    @classmethod
    def _numbers(cls) -> Iterator[int]:
        return islice(cls.numbers, ADDRESSES_OF_A_CONNECTION)


async def answer(line: str) -> list[float]:
    question = Question(**json.loads(line))
    try:
        return await rates(question.port, question.process, question.seconds, question.scenario, Visitors)
    except (WrongAnswer, OSError, TimeoutError) as error:
        print(f"{question.path}: {type(error).__name__}: {error}", file=sys.stderr)
        return []


if __name__ == "__main__":
    uvloop.run(answer_lines(answer))

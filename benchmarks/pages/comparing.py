"""The comparison: equal content first, then requests per second in turns."""

import asyncio
import json
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path

from benchmarks.answering import Answering
from benchmarks.pages import content, servers
from benchmarks.pages.company import SLUG, Company, found
from benchmarks.pages.load import Question
from benchmarks.pages.servers import Served
from benchmarks.tables import Results, median, ratios, rows, spread
from tests.databases import database_server, worker_database

OURS = "slipway"
SECONDS = 1.0


@dataclass(frozen=True)
class Page:
    """What is asked for, and how many times as many answers as a peer's are the aim."""

    name: str
    path: str
    accept: str
    expected: str
    content: Callable[[str], list[str]]
    aims: dict[str, float]


PAGES = (
    Page(
        "dashboard (HTML)",
        f"/o/{SLUG}",
        "text/html",
        "Recent activity",
        content.of_page,
        {"fastapi": 6, "django": 8},
    ),
    Page(
        "50 members (JSON)",
        f"/api/v1/organizations/{SLUG}/members",
        "application/json",
        "person7@example.com",
        content.of_json,
        {"fastapi": 10, "django": 15},
    ),
)


class DifferentContent(Exception):
    """A peer's page does not say what ours does: then their speed cannot be compared. The difference is the message."""


def run(interpreter: Path, rounds: int) -> tuple[Results, Results]:
    """Requests per second, and per second of the server's CPU."""
    with database_server() as server, worker_database(server) as name, ExitStack() as stack:
        company = asyncio.run(found(server, name))
        served = [
            stack.enter_context(each)
            for each in (
                servers.slipway(server.application_url(name)),
                servers.fastapi(interpreter, company),
                servers.django(interpreter, company),
            )
        ]
        for page in PAGES:
            require_equal_content(page, served, company)
        load = stack.enter_context(Answering(Path(sys.executable), "benchmarks.pages.load"))
        measured = {page.name: _measure(load, page, served, company, rounds) for page in PAGES}
    return {name: rates for name, (rates, _) in measured.items()}, {
        name: by_cpu for name, (_, by_cpu) in measured.items()
    }


def require_equal_content(page: Page, served: Sequence[Served], company: Company) -> None:
    """Raises DifferentContent."""
    ours, *peers = [(each.name, page.content(each.get(page.path, page.accept, _cookie(company)))) for each in served]
    for name, said in peers:
        if said != ours[1]:
            difference = unified_diff(ours[1], said, OURS, name, n=0, lineterm="")
            raise DifferentContent(f"{page.name}:\n" + "\n".join(difference))


def _cookie(company: Company) -> str:
    return f"session={company.token}"


def _measure(
    load: Answering, page: Page, served: Sequence[Served], company: Company, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    def ask(each: Served) -> tuple[float, float]:
        question = Question(each.port, each.process, SECONDS, page.path, page.accept, _cookie(company), page.expected)
        rate, by_cpu = load.ask(json.dumps(asdict(question))) or (math.nan, math.nan)
        return rate, by_cpu

    rates: dict[str, list[float]] = {each.name: [] for each in served}
    of_cpu: dict[str, list[float]] = {each.name: [] for each in served}
    for each in served:
        ask(each)  # The first turn warms up.
    for turn in range(rounds):
        for each in served if turn % 2 else reversed(served):
            rate, by_cpu = ask(each)
            rates[each.name].append(rate)
            of_cpu[each.name].append(by_cpu)
    return rates, of_cpu


def table(title: str, results: Results) -> str:
    """Each product's median, and how many times a peer's ours is: median, least and greatest of the rounds."""
    peers = [name for name in next(iter(results.values())) if name != OURS]
    head = [title, OURS, *(title for peer in peers for title in (peer, f"{OURS} ÷ {peer}", "aim"))]
    return rows(head, [_row(page, results[page.name], peers) for page in PAGES])


def _row(page: Page, results: dict[str, list[float]], peers: Sequence[str]) -> list[str]:
    beside = (
        (f"{median(results[peer]):,.0f}", spread(ratios(results, OURS, peer)), f"{page.aims[peer]:.0f}")
        for peer in peers
    )
    return [page.name, f"{median(results[OURS]):,.0f}", *(cell for cells in beside for cell in cells)]

"""What people hold while they wait for their turn to hash: a place in the queue, and nothing that others need."""

import asyncio
import os
import threading

import anyio
import pytest
from anyio.lowlevel import checkpoint

from app.accounts import passwords
from app.accounts.actions import check_password
from app.audit.models import RequestFacts
from app.database import Database
from tests.app.accounts.people import PASSWORD, add_person


@pytest.mark.requirement("PWD-2")
async def test_nobody_holds_a_connection_while_waiting_to_hash(fresh_database: Database) -> None:
    async with fresh_database.transaction() as db:
        await add_person(db)
    limiter = passwords._queue_of_this_loop().limiter
    others = [object() for _ in range(int(limiter.total_tokens))]
    for other in others:
        await limiter.acquire_on_behalf_of(other)
    logged_in: list[str] = []

    async def log_in() -> None:
        async with fresh_database.transaction() as db:
            facts = RequestFacts()
            user = await check_password(db, email="ada@example.com", password=PASSWORD, facts=facts)
            logged_in.append(user.name)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(log_in)
            while limiter.statistics().tasks_waiting < 3:
                await checkpoint()
            pool = fresh_database.engine.pool
            held = pool.checkedout()  # type: ignore[attr-defined] # the pool of an engine with a limit counts them
            for other in others:
                limiter.release_on_behalf_of(other)
    assert held == 0
    assert logged_in == ["Ada Lovelace"] * 3


async def test_the_event_loop_goes_before_those_who_hash() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    of_hashing = await asyncio.get_running_loop().run_in_executor(passwords._hashing_threads(), priority)

    assert of_hashing == priority() + passwords.HASHING_NICENESS

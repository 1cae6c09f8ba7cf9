"""The list of leaked passwords, asked of a server on a loopback port."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.accounts.breaches import has_leaked
from app.accounts.choosing import WeakPassword, require_good_password
from app.config import Settings, load_settings
from tests.app.accounts.people import PASSWORD

DIGEST = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()


@asynccontextmanager
async def leak_server(body: str | None, status: str = "200 OK") -> AsyncIterator[tuple[str, list[str]]]:
    """Answers with `body`, or never; yields its address and the heads of the requests it got."""
    asked: list[str] = []
    closing = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if body is None:
            await closing.wait()
        else:
            writer.write(
                f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        closing.set()
        server.close()
        await server.wait_closed()


@pytest.mark.requirement("PWD-4")
async def test_a_leaked_password_is_recognized_and_never_sent() -> None:
    async with leak_server(f"{'0' * 35}:7\r\n{DIGEST[5:]}:42\r\n") as (url, asked):
        assert await has_leaked(url, PASSWORD)

    assert asked[0].startswith(f"GET /range/{DIGEST[:5]} HTTP/1.1\r\n")
    assert "add-padding: true" in asked[0].lower()
    assert DIGEST[5:] not in asked[0]


@pytest.mark.requirement("PWD-4")
@pytest.mark.parametrize("body", ["", f"{DIGEST[5:]}:0\r\n", f"{'0' * 35}:7\r\n", "<html>", f"{DIGEST[5:]}:many"])
async def test_what_is_not_listed_passes_and_so_does_padding(body: str) -> None:
    async with leak_server(body) as (url, _):
        assert not await has_leaked(url, PASSWORD)


@pytest.mark.requirement("PWD-4")
async def test_a_list_that_cannot_be_asked_keeps_nobody_out_and_is_logged() -> None:
    with capture_logs() as logged:
        await ask_in_vain()

    assert [entry["event"] for entry in logged] == ["accounts.breach_check_failed"] * 3


async def ask_in_vain() -> None:
    assert not await has_leaked("http://127.0.0.1:1", PASSWORD)
    async with leak_server(f"{DIGEST[5:]}:42", "503 Service Unavailable") as (url, _):
        assert not await has_leaked(url, PASSWORD)
    async with leak_server(None) as (url, _):
        assert not await has_leaked(url, PASSWORD, deadline=0.05)


@pytest.mark.requirement("PWD-4")
async def test_a_leaked_password_is_refused_where_the_check_is_on(settings: Settings) -> None:
    async with leak_server(f"{DIGEST[5:]}:42\r\n") as (url, asked):
        checking = replace(settings, breached_password_check=True, breached_password_url=url)
        with pytest.raises(WeakPassword, match="leaks"):
            await require_good_password(checking, PASSWORD, ())
        await require_good_password(settings, PASSWORD, ())

    assert len(asked) == 1


def test_production_checks_and_development_asks_nobody() -> None:
    assert not load_settings({}).breached_password_check
    assert load_settings({"BREACHED_PASSWORD_CHECK": "true"}).breached_password_check

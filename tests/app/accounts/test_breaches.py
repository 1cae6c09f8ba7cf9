"""The list of leaked passwords, asked of a server on a loopback port."""

import hashlib
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.accounts.breaches import has_leaked
from app.accounts.choosing import WeakPassword, require_good_password
from app.config import Settings, load_settings
from tests.app.accounts.answering import answering_server
from tests.app.accounts.people import PASSWORD

DIGEST = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.mark.requirement("PWD-4")
async def test_a_leaked_password_is_recognized_and_never_sent() -> None:
    async with answering_server(f"{'0' * 35}:7\r\n{DIGEST[5:]}:42\r\n") as (url, asked):
        assert await has_leaked(url, PASSWORD)

    assert asked[0].startswith(f"GET /range/{DIGEST[:5]} HTTP/1.1\r\n")
    assert "add-padding: true" in asked[0].lower()
    assert DIGEST[5:] not in asked[0]


@pytest.mark.requirement("PWD-4")
@pytest.mark.parametrize("body", ["", f"{DIGEST[5:]}:0\r\n", f"{'0' * 35}:7\r\n", "<html>", f"{DIGEST[5:]}:many"])
async def test_what_is_not_listed_passes_and_so_does_padding(body: str) -> None:
    async with answering_server(body) as (url, _):
        assert not await has_leaked(url, PASSWORD)


@pytest.mark.requirement("PWD-4")
async def test_a_list_that_cannot_be_asked_keeps_nobody_out_and_is_logged() -> None:
    with capture_logs() as logged:
        await ask_in_vain()

    assert [entry["event"] for entry in logged] == ["accounts.breach_check_failed"] * 3


async def ask_in_vain() -> None:
    assert not await has_leaked("http://127.0.0.1:1", PASSWORD)
    async with answering_server(f"{DIGEST[5:]}:42", "503 Service Unavailable") as (url, _):
        assert not await has_leaked(url, PASSWORD)
    async with answering_server(None) as (url, _):
        assert not await has_leaked(url, PASSWORD, deadline=0.05)


@pytest.mark.requirement("PWD-4")
async def test_a_leaked_password_is_refused_where_the_check_is_on(settings: Settings) -> None:
    async with answering_server(f"{DIGEST[5:]}:42\r\n") as (url, asked):
        checking = replace(settings, breached_password_check=True, breached_password_url=url)
        with pytest.raises(WeakPassword, match="leaks"):
            await require_good_password(checking, PASSWORD, ())
        await require_good_password(settings, PASSWORD, ())

    assert len(asked) == 1


def test_production_checks_and_development_asks_nobody() -> None:
    assert not load_settings({}).breached_password_check
    assert load_settings({"BREACHED_PASSWORD_CHECK": "true"}).breached_password_check

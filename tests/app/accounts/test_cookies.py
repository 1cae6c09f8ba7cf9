"""Every cookie that entry sets: bound to the host, out of reach of scripts, small, and of use for one purpose only."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.last_method import LONGEST_NAME
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, ask_for_log_in, log_in, mailed_code, sign_up

LONGEST_COOKIE = 4096


async def cookies_of_entry(client: AsyncTestClient, db: AsyncSession) -> list[str]:
    """The Set-Cookie headers of everything that people do before and while they log in."""
    await add_person(db)
    answers = [await sign_up(client, email="new@example.com", next="/account/sessions")]
    answers.append(await client.post("/forgot-password", data={"email": "ada@example.com"}))
    answers.append(await ask_for_log_in(client))
    answers.append(await client.get(f"/log-in/code/link?token={'x' * 43}"))
    answers.append(await client.post("/log-in/code/sent", data={"code": await mailed_code(db)}))
    return [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]


@pytest.mark.requirement("CKE-1")
async def test_every_cookie_is_bound_to_the_host_and_hidden_from_scripts(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    cookies = await cookies_of_entry(client, db)

    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-state",
        "__Host-session",
        "__Host-device",
        "__Host-method",
    }
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= attributes, cookie
        assert not any(attribute.startswith("domain") for attribute in attributes)
        assert len(cookie) <= LONGEST_COOKIE


@pytest.mark.requirement("CKE-1")
async def test_a_value_moved_to_another_cookie_opens_nothing(client: AsyncTestClient, db: AsyncSession) -> None:
    values = [cookie.partition(";")[0].partition("=") for cookie in await cookies_of_entry(client, db)]
    client.cookies.clear()
    for name, _, value in values:
        client.cookies.set("__Host-session", value, domain="slipway.test", path="/")
        status = (await client.get("/account/sessions")).status_code
        assert status == (200 if name == "__Host-session" else 303), name


@pytest.mark.requirement("SES-5")
@pytest.mark.parametrize("path", ["/", "/log-in", "/sign-up", "/forgot-password", "/log-in/code"])
async def test_looking_at_an_entry_page_sets_no_cookie(client: AsyncTestClient, path: str) -> None:
    assert (await client.get(path)).headers.get_list("set-cookie") == []


async def test_the_log_in_page_says_which_way_was_used_last(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    assert "last time" not in (await client.get("/log-in")).text
    await log_in(client)
    client.cookies.delete("__Host-session")
    assert "with your password last time" in (await client.get("/log-in")).text

    client.cookies.set("__Host-method", "code", domain="slipway.test", path="/")
    assert "Last used" in (await client.get("/log-in")).text


@pytest.mark.parametrize("value", ["<script>", "a" * (LONGEST_NAME + 1), "code%20", ""])
async def test_a_hint_that_we_never_gave_is_not_shown(client: AsyncTestClient, value: str) -> None:
    headers = {"cookie": f"__Host-method={value}"}
    page = (await client.get("/log-in", headers=headers)).text

    assert "Last used" not in page
    assert "last time" not in page


@pytest.mark.parametrize(("fields", "is_kept"), [({"remember": "true"}, True), ({}, False)])
async def test_a_session_outlives_the_browser_only_if_that_was_asked_for(
    client: AsyncTestClient, db: AsyncSession, fields: dict[str, str], is_kept: bool
) -> None:
    await add_person(db)
    response = await log_in(client, **fields)

    cookie = next(value for value in response.headers.get_list("set-cookie") if value.startswith("__Host-session"))
    assert ("max-age" in cookie.lower()) is is_kept

"""Sending invitations: a line for each, nothing told about accounts, sent again and taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.database import system_scope
from app.invitations.models import Invitation
from app.organizations.models import Organization
from app.policy import Role
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in, mailed_link, newest_message, templates_sent
from tests.app.organizations.teams import add_member, add_team, events_of, submit, text_of

BELOW = "/o/acme/invitations"


async def found_acme(client: AsyncTestClient, db: AsyncSession) -> tuple[User, Organization]:
    """Ada, logged in, and the team that she founded."""
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await log_in(client)
    return ada, acme


async def invitations_of(db: AsyncSession, organization: Organization) -> list[Invitation]:
    statement = select(Invitation).where(Invitation.organization_id == organization.id).order_by(Invitation.id)
    async with system_scope(db):
        return list(await db.scalars(statement.execution_options(populate_existing=True)))


async def test_each_line_has_an_answer_of_its_own(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await add_member(db, acme, "Mary Somerville")
    await submit(client, f"{BELOW}/new", emails="early@example.com", role="member")

    lines = "New@Example.com, mary@example.com\nnowhere\nearly@example.com;new@example.com"
    answer = await submit(client, f"{BELOW}/new", emails=lines, role="admin", message="Join us <b>")
    said = text_of(answer)
    for line, outcome in (
        ("New@Example.com", "Invited"),
        ("mary@example.com", "Already a member"),
        ("nowhere", "No e-mail address"),
        ("early@example.com", "Already invited"),
        ("new@example.com", "Already a member"),
    ):
        assert f"{line} {outcome}" in said, said
    sent = [each.address for each in await invitations_of(db, acme)]
    assert sent == ["early@example.com", "New@example.com"]
    message = await newest_message(db, "New@example.com")
    assert message.subject == "Ada Lovelace invites you to Acme"
    assert "Join us <b>" in message.text
    assert "Join us &lt;b&gt;" in message.html
    (_, event) = await events_of(db, acme, "invitations.sent")
    assert (event.target_label, event.changes) == ("New@example.com", {"role": [None, "admin"]})


@pytest.mark.requirement("INV-2")
async def test_the_answers_are_the_same_whether_an_address_has_an_account_or_not(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await found_acme(client, db)
    await add_person(db, "Grace Hopper", "grace@example.com")

    known = await submit(client, f"{BELOW}/new", emails="grace@example.com", role="member")
    unknown = await submit(client, f"{BELOW}/new", emails="grice@example.com", role="member")
    assert text_of(known).replace("grace@", "grice@") == text_of(unknown)
    assert "Grace Hopper" not in (await client.get(BELOW)).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"emails": ""}, "emails"), ({"emails": " ,\n;"}, "emails"), ({"emails": ",".join("abcdefgh" * 7)}, "ok")],
)
async def test_an_empty_list_is_refused(
    client: AsyncTestClient, db: AsyncSession, fields: dict[str, str], field: str
) -> None:
    await found_acme(client, db)
    answer = await submit(client, f"{BELOW}/new", **fields, role="member")
    assert (answer.status_code == 422) is (field != "ok")


async def test_more_than_fifty_at_once_are_refused(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    emails = "\n".join(f"person{number}@example.com" for number in range(51))
    assert (await submit(client, f"{BELOW}/new", emails=emails, role="member")).status_code == 422
    assert await invitations_of(db, acme) == []


@pytest.mark.requirement("INV-1")
async def test_nobody_invites_to_a_role_above_their_own(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper", Role.ADMIN)
    await log_in(client, "grace@example.com")

    refused = await submit(client, f"{BELOW}/new", emails="new@example.com", role="owner")
    assert refused.status_code == 422
    assert "above your own" in refused.text
    headers = {"x-csrf-token": await csrf_token(client)}
    body = {"emails": ["new@example.com"], "role": "owner"}
    by_program = await client.post("/api/v1/organizations/acme/invitations", json=body, headers=headers)
    assert by_program.status_code == 403
    assert await invitations_of(db, acme) == []


@pytest.mark.requirement("INV-1")
async def test_a_token_is_random_and_kept_hashed_for_a_week(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/new", emails="new@example.com,other@example.com", role="member")

    tokens = {
        (await mailed_link(db, to)).removeprefix("/invitations/").rstrip("?")
        for to in ("new@example.com", "other@example.com")
    }
    assert len(tokens) == 2
    for invitation in await invitations_of(db, acme):
        assert len(invitation.token_hash) == 32
        assert not any(token.encode() in invitation.token_hash for token in tokens)
        assert invitation.expires_at - invitation.created_at == timedelta(days=7)
        assert "token" not in repr(invitation)


async def test_sending_again_replaces_the_link_and_has_an_end(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/new", emails="new@example.com", role="member")
    old = await mailed_link(db, "new@example.com")
    (invitation,) = await invitations_of(db, acme)

    with clock.travel(timedelta(days=6)):
        await submit(client, f"{BELOW}/{invitation.id}/resend")
        new = await mailed_link(db, "new@example.com")
        assert new != old
        client.cookies.clear()
        assert (await client.get(old)).status_code == 410
        assert (await client.get(new)).status_code == 200
        await log_in(client)
    for _ in range(4):
        await submit(client, f"{BELOW}/{invitation.id}/resend")
    assert "was sent five times" in (await client.get(BELOW)).text
    assert [template for template, to in await templates_sent(db) if to == "new@example.com"] == [
        "invitations/invitation"
    ] * 5


@pytest.mark.requirement("INV-1")
async def test_a_revoked_invitation_is_off_the_list_and_its_link_dead(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/new", emails="new@example.com", role="member")
    (invitation,) = await invitations_of(db, acme)
    assert "new@example.com" in (await client.get(BELOW)).text

    await submit(client, f"{BELOW}/{invitation.id}/revoke")
    assert "new@example.com is revoked" in text_of(await client.get(BELOW))
    assert "No open invitations" in (await client.get(BELOW)).text
    client.cookies.clear()
    gone = await client.get(await mailed_link(db, "new@example.com"))
    assert gone.status_code == 410
    assert "This invitation was taken back" in gone.text
    assert "Acme" not in gone.text
    assert len(await events_of(db, acme, "invitations.revoked")) == 1


async def test_an_expired_invitation_can_be_sent_anew(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/new", emails="new@example.com", role="member")
    with clock.travel(timedelta(days=8)):
        await log_in(client)
        assert "Expired" in (await client.get(BELOW)).text
        answer = await submit(client, f"{BELOW}/new", emails="new@example.com", role="member")
        assert "new@example.com Invited" in text_of(answer)
    assert [each.revoked_at is None for each in await invitations_of(db, acme)] == [False, True]


async def test_programs_invite_list_and_revoke(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    headers = {"x-csrf-token": await csrf_token(client)}
    path = "/api/v1/organizations/acme/invitations"

    body = {"emails": ["one@example.com", "ada@example.com", "nowhere"], "role": "admin"}
    answers = (await client.post(path, json=body, headers=headers)).json()["items"]
    assert [each["outcome"] for each in answers] == ["invited", "already_member", "invalid"]
    await client.post(path, json={"emails": ["two@example.com"]}, headers=headers)
    first = (await client.get(f"{path}?limit=1")).json()
    second = (await client.get(f"{path}?limit=1&cursor={first['next_cursor']}")).json()
    assert [each["items"][0]["email"] for each in (first, second)] == ["two@example.com", "one@example.com"]
    assert "token" not in str(first)
    one = f"{path}/{second['items'][0]['id']}"
    assert (await client.delete(one, headers=headers)).status_code == 204
    assert (await client.delete(one, headers=headers)).status_code == 404
    assert [each.state for each in await invitations_of(db, acme)] == ["revoked", "open"]


async def test_graphql_lists_invitations_to_those_who_may_see_them(client: AsyncTestClient, db: AsyncSession) -> None:
    _, acme = await found_acme(client, db)
    await submit(client, f"{BELOW}/new", emails="new@example.com", role="member")
    await add_member(db, acme, "Grace Hopper")
    query = {"query": '{ organization(slug: "acme") { invitations { email role state } } }'}

    async def ask() -> dict[str, Any]:
        headers = {"x-csrf-token": await csrf_token(client)}
        answer: dict[str, Any] = (await client.post("/graphql", json=query, headers=headers)).json()
        return answer

    expected = [{"email": "new@example.com", "role": "member", "state": "open"}]
    assert (await ask())["data"]["organization"]["invitations"] == expected
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    assert (await ask())["data"]["organization"]["invitations"] is None


async def test_ordinary_members_neither_see_nor_send_invitations(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    await add_member(db, acme, "Grace Hopper")
    await log_in(client, "grace@example.com")

    assert (await client.get(BELOW)).status_code == 403
    assert (await submit(client, f"{BELOW}/new", emails="new@example.com", role="member")).status_code == 403
    assert "Invite" not in (await client.get("/o/acme/members")).text.partition("<main")[2]

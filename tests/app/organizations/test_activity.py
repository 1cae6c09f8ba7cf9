"""What happened, in sentences: of every feature, and with the names of the organization's own roles."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.organizations.teams import add_member, add_role, add_team, events_of, submit, text_of


async def test_the_dashboard_and_the_audit_log_say_what_happened_in_sentences_that_name_own_roles(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    acme = await add_team(db, await add_person(db))
    grace = await add_member(db, acme, "Grace Hopper")
    await add_role(db, acme, "Auditor", "audit.view")
    await log_in(client)
    await submit(client, f"/o/acme/members/{grace.id}/role", role="auditor")
    await submit(client, f"/o/acme/members/{grace.id}/role", role="admin")
    await submit(client, f"/o/acme/members/{grace.id}/suspend")
    await submit(client, "/o/acme/invitations/new", emails="new@example.com", role="auditor")

    for path in ("/o/acme", "/o/acme/audit"):
        page = text_of(await client.get(path))
        for sentence in (
            "gave Grace Hopper the role Auditor",
            "gave Grace Hopper the role Admin",
            "suspended Grace Hopper",
            "invited new@example.com as Auditor",
            "created the organization",
        ):
            assert f"Ada Lovelace {sentence}" in page
    (event,) = await events_of(db, acme, "invitations.sent")
    assert "<ins>Auditor</ins>" in (await client.get(f"/o/acme/audit/{event.id}")).text

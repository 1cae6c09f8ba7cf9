"""Two people who do something about the same member at the same moment."""

import asyncio

import pytest

from app.audit.actions import record
from app.audit.models import RequestFacts
from app.config import Settings
from app.database import Database, name_organization
from app.main import create_app
from app.organizations.models import MembershipStatus
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in
from tests.app.locks import lock_waits
from tests.app.organizations.teams import add_member, add_role, add_team, give_role, membership_of


@pytest.mark.requirement("ROL-1")
async def test_nobody_suspends_a_member_who_has_just_been_given_a_role_above_theirs(
    fresh_database: Database, settings: Settings
) -> None:
    async with fresh_database.transaction() as db:
        acme = await add_team(db, await add_person(db))
        grace, mary = await add_member(db, acme, "Grace Hopper"), await add_member(db, acme, "Mary Somerville")
        warden = await add_role(db, acme, "Warden", "members.view", "members.change")
        captain = await add_role(db, acme, "Captain", "members.change", "organization.update")
        await db.flush()
        await give_role(db, grace, await add_role(db, acme, "Reader", "members.view"))
        await give_role(db, mary, warden)

    app = create_app(settings, database=fresh_database)
    async with AsyncTestClient(app, base_url=settings.base_url, follow_redirects=False) as client:
        await log_in(client, "mary@example.com")
        fields = {"csrf_token": await csrf_token(client)}
        async with asyncio.TaskGroup() as group, fresh_database.transaction() as db:
            await give_role(db, grace, captain)
            await name_organization(db, acme.id)
            await record(db, "members.role_changed", actor_id=None, organization_id=acme.id, request=RequestFacts())
            pressed = group.create_task(client.post(f"/o/acme/members/{grace.id}/suspend", data=fields))
            await lock_waits(fresh_database, 1)
        assert pressed.result().status_code == 303
        assert "above your own" in (await client.get("/o/acme/members")).text
    async with fresh_database.transaction() as db:
        member = await membership_of(db, acme, grace)
        assert member is not None
        assert member.status == MembershipStatus.ACTIVE

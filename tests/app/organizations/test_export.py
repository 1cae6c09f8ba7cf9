"""What people take along of the organizations that they belong to."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import RequestFacts
from app.config import Settings
from app.database import name_organization, system_scope
from app.invitations import export as invitations
from app.invitations.actions import invite_people
from app.organizations import export as organizations
from app.organizations.models import Membership, Scope
from tests.app.accounts.people import add_person
from tests.app.organizations.teams import add_member, add_role, add_team, give_role


@pytest.mark.requirement("PRV-1")
async def test_the_copy_says_which_role_of_an_organizations_own_somebody_has_and_gave(
    db: AsyncSession, settings: Settings
) -> None:
    acme = await add_team(db, await add_person(db))
    role = await add_role(db, acme, "Auditor", "invitations.create")
    mary = await add_member(db, acme, "Mary Somerville")
    await give_role(db, mary, role)
    await name_organization(db, acme.id)
    own = await db.get_one(Membership, (acme.id, mary.id), populate_existing=True)
    scope, facts = Scope(mary, acme, own, ""), RequestFacts()
    await invite_people(db, settings, scope, ["new@example.com"], role=role, message=None, facts=facts)

    async with system_scope(db):
        memberships = (await organizations.export_person(db, mary))["memberships"]
        sent = (await invitations.export_person(db, mary))["invitations_sent"]
    assert {each["organization"]["slug"]: each["role"] for each in memberships}["acme"] == "auditor"
    assert [(each["address"], each["role"]) for each in sent] == [("new@example.com", "auditor")]

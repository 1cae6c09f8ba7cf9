"""What people are told of: each occasion, through the product's own pages."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.database import system_scope
from app.invitations.models import Invitation
from app.invitations.notifying import notify_receiver
from app.notifications.kinds import sentence
from app.notifications.models import Notification
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, mailed_link
from tests.app.organizations.teams import add_member, add_team, submit


async def told(db: AsyncSession, user: User) -> list[str]:
    """The sentences of what a person was told, in order."""
    statement = select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    return [sentence(each.kind, each.data, each.count) for each in await db.scalars(statement)]


async def test_the_invited_person_and_then_the_inviter_are_told(client: AsyncTestClient, db: AsyncSession) -> None:
    ada, grace = await add_person(db), await add_person(db, "Grace Hopper", "grace@example.com")
    await add_team(db, ada)
    await log_in(client)
    await submit(client, "/o/acme/invitations/new", emails="grace@example.com, nobody@example.com", role="member")
    async with system_scope(db):
        invitations = (await db.scalars(select(Invitation.id))).all()
    for invitation_id in invitations:
        await notify_receiver(db, invitation_id)
    assert await told(db, grace) == ["Ada Lovelace invites you to join Acme."]

    link = (await mailed_link(db, "grace@example.com")).rstrip("?")
    client.cookies.clear()
    await log_in(client, "grace@example.com")
    await submit(client, f"{link}/accept")
    assert await told(db, ada) == ["Grace Hopper joined Acme."]


async def test_a_member_is_told_of_a_new_role_and_of_an_offer(client: AsyncTestClient, db: AsyncSession) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    grace = await add_member(db, acme, "Grace Hopper")
    await log_in(client)
    await submit(client, f"/o/acme/members/{grace.id}/role", role="admin")
    await submit(client, "/o/acme/danger/offer", user_id=str(grace.id))

    assert await told(db, grace) == [
        "Ada Lovelace changed your role in Acme.",
        "Ada Lovelace offers Acme to you.",
    ]
    assert await told(db, ada) == []

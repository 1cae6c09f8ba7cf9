"""What people are told of: each occasion, through the product's own pages."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.config import Settings
from app.database import Database, system_scope
from app.email.models import EmailMessage
from app.invitations.models import Invitation
from app.invitations.notifying import notify_receiver
from app.jobs.registry import JobContext
from app.notifications.actions import notify
from app.notifications.jobs import OLD_ENOUGH, mail_notification, send_digests
from app.notifications.kinds import EXPORT_READY, ROLE_CHANGED, sentence
from app.notifications.models import Notification
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in, mailed_link, newest_message, organization_of
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


async def test_messages_speak_the_persons_language_else_that_of_the_organization_they_are_about(
    db: AsyncSession, settings: Settings, database: Database
) -> None:
    ada = await add_person(db)
    acme = await add_team(db, ada)
    acme.locale = "de"
    people = [await add_member(db, acme, name) for name in ("Grace Hopper", "Mary Somerville")]
    people[1].locale = "en"
    worker = JobContext(settings, database)
    said = {"organization": "Acme", "slug": "acme", "actor": "Ada Lovelace"}
    for person in people:
        await notify(db, ROLE_CHANGED, person.id, actor=ada, organization_id=acme.id, data=said)
        await db.flush()
        await mail_notification(worker, user_id=person.id, kind=ROLE_CHANGED.name, data=said, organization_id=acme.id)
    with clock.travel(OLD_ENOUGH * 2):
        await send_digests(worker)

    for address, language in (("grace@example.com", "de"), ("mary@example.com", "en")):
        sent = await db.scalars(select(EmailMessage).where(EmailMessage.to_address == address))
        assert {(each.template, each.locale) for each in sent} == {
            ("notifications/notification", language),
            ("notifications/digest", language),
        }


async def test_what_is_about_no_organization_speaks_as_the_one_where_the_person_was_last(
    db: AsyncSession, settings: Settings, database: Database
) -> None:
    ada = await add_person(db)
    (await organization_of(db, ada)).locale = "de"
    await notify(db, EXPORT_READY, ada.id)
    await db.flush()
    with clock.travel(OLD_ENOUGH * 2):
        await send_digests(JobContext(settings, database))
    message = await newest_message(db)
    assert (message.template, message.locale) == ("notifications/digest", "de")
    assert message.subject == "Eine Benachrichtigung wartet auf Sie"

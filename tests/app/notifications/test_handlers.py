"""The bell, the page /notifications, and what people choose to be told where."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.models import User
from app.audit.models import RequestFacts
from app.config import Settings
from app.email.models import EmailMessage
from app.email.subscriptions import subscription_of, unsubscribe
from app.ids import uuid7
from app.notifications import actions
from app.notifications.emails import DIGEST
from app.notifications.kinds import EXPORT_READY, INVITATION_ACCEPTED, KINDS, Kind
from app.notifications.models import Channel, Notification
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, csrf_token, log_in

Statements = Callable[[], AbstractContextManager[list[str]]]


async def tell(db: AsyncSession, user: User, times: int = 1, kind: Kind = INVITATION_ACCEPTED) -> None:
    data = {"organization": "<Engines>", "slug": "ada-lovelace"}
    for _ in range(times):
        await actions.notify(db, kind, user.id, actor=user, data=data)
    await db.flush()


async def test_a_new_person_is_all_caught_up(client: AsyncTestClient, db: AsyncSession) -> None:
    await add_person(db)
    await log_in(client)
    page = await client.get("/notifications")

    assert page.status_code == 200
    assert "All caught up" in page.text
    assert page.text.count("<h1") == 1


async def test_the_bell_counts_what_is_unread_on_every_page(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await log_in(client)
    assert "unread notification" not in (await client.get("/o/ada-lovelace")).text
    await tell(db, user, times=2)
    assert "2 unread notifications" in (await client.get("/o/ada-lovelace")).text
    await tell(db, user, times=120)
    assert "99+" in (await client.get("/account/profile")).text


async def test_the_bell_costs_a_page_no_statement_of_its_own(
    client: AsyncTestClient, db: AsyncSession, statements: Statements
) -> None:
    user = await add_person(db)
    await tell(db, user, times=3)
    await log_in(client)
    with statements() as executed:
        await client.get("/o/ada-lovelace")

    assert len([each for each in executed if "FROM notifications" in each]) == 1
    assert len(executed) <= 4, "\n".join(executed)


async def test_new_ones_come_first_and_opening_one_leads_to_what_it_is_about(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    user = await add_person(db)
    await tell(db, user)
    await tell(db, user, kind=EXPORT_READY)
    await log_in(client)
    page = (await client.get("/notifications")).text
    assert "Ada Lovelace joined &lt;Engines&gt;." in page
    assert page.count("notice--new") == 2

    found = await db.scalar(select(Notification).where(Notification.kind == EXPORT_READY.name))
    assert found is not None
    opened = await client.post(f"/notifications/{found.id}", data={"csrf_token": await csrf_token(client)})
    assert opened.status_code == 303
    assert opened.headers["location"] == "/account/export"
    page = (await client.get("/notifications")).text
    assert page.index("joined") < page.index("Earlier") < page.index("can be downloaded")


async def test_all_can_be_marked_as_read_at_once(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await tell(db, user, times=3)
    await log_in(client)
    await client.post("/notifications/read", data={"csrf_token": await csrf_token(client)})
    page = (await client.get("/notifications")).text

    assert "3 notifications are marked as read." in page
    assert "You are all caught up." in page
    assert (await client.get("/notifications/count")).json() == {"unread": 0, "label": "Notifications"}


@pytest.mark.requirement("TEN-1")
async def test_other_peoples_notifications_are_as_missing_as_those_that_do_not_exist(
    client: AsyncTestClient, db: AsyncSession
) -> None:
    await add_person(db)
    grace = await add_person(db, "Grace Hopper", "grace@example.com")
    await tell(db, grace)
    hers = await db.scalar(select(Notification.id).where(Notification.user_id == grace.id))
    await log_in(client)
    token = await csrf_token(client)
    for notification_id in (hers, uuid7()):
        page = await client.post(f"/notifications/{notification_id}", data={"csrf_token": token})
        script = await client.post(f"/api/v1/me/notifications/{notification_id}/read", headers={"x-csrf-token": token})
        assert (page.status_code, script.status_code) == (404, 404)
    assert "Grace" not in (await client.get("/notifications")).text


async def test_what_was_read_comes_in_pages(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await tell(db, user, times=5)
    await actions.mark_all_read(db, user)
    await log_in(client)
    first = await client.get("/notifications?limit=3")
    older = re.search(r'href="(/notifications\?cursor=[^"]+)"', first.text)
    assert older is not None
    second = await client.get(older[1])

    assert first.text.count('class="notice"') == 3
    assert second.text.count('class="notice"') == 2


async def test_more_of_the_same_are_put_together_until_they_are_read(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    data = {"organization": "Engines", "slug": "ada-lovelace"}
    for _ in range(3):
        await actions.notify(db, INVITATION_ACCEPTED, user.id, actor=user, data=data, group_key="joined")
    await log_in(client)
    assert "Ada Lovelace joined Engines. 2 more like it." in (await client.get("/notifications")).text
    await actions.mark_all_read(db, user)
    await actions.notify(db, INVITATION_ACCEPTED, user.id, actor=user, data=data, group_key="joined")
    assert (await client.get("/notifications/count")).json()["unread"] == 1


async def test_people_choose_what_they_are_told_where(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await log_in(client)
    assert (await client.get("/account/notifications")).text.count(" checked") == 2 * len(KINDS)
    form = {"csrf_token": await csrf_token(client), f"{EXPORT_READY.name}.in_app": "true"}
    saved = await client.post("/account/notifications", data=form)
    assert saved.status_code == 303
    assert (await client.get("/account/notifications")).text.count(" checked") == 1
    await tell(db, user, kind=INVITATION_ACCEPTED)
    await tell(db, user, kind=EXPORT_READY)
    assert (await client.get("/notifications/count")).json()["unread"] == 1


async def test_the_digest_tells_once_what_was_not_seen(db: AsyncSession, settings: Settings) -> None:
    user = await add_person(db)
    await tell(db, user, times=2)
    soon = clock.now() + timedelta(seconds=1)

    assert await actions.send_digest(db, settings, user.id, before=soon)
    assert not await actions.send_digest(db, settings, user.id, before=soon)
    [message] = (await db.scalars(select(EmailMessage).where(EmailMessage.template == "notifications/digest"))).all()
    assert message.subject == "2 notifications wait for you"
    assert "Ada Lovelace joined <Engines>." in message.text
    assert "Ada Lovelace joined &lt;Engines&gt;." in message.html
    assert message.unsubscribe_url is not None


async def test_what_was_shown_is_not_in_the_digest(
    client: AsyncTestClient, db: AsyncSession, settings: Settings
) -> None:
    user = await add_person(db)
    await tell(db, user)
    await log_in(client)
    await client.get("/notifications")

    assert not await actions.send_digest(db, settings, user.id, before=clock.now() + timedelta(seconds=1))


async def test_nobody_gets_a_digest_who_does_not_want_it(db: AsyncSession, settings: Settings) -> None:
    user = await add_person(db)
    await tell(db, user)
    subscription = await subscription_of(db, address=user.email, kind=DIGEST)
    await unsubscribe(db, subscription.id)
    await db.refresh(subscription)

    assert not await actions.send_digest(db, settings, user.id, before=clock.now() + timedelta(seconds=1))
    await tell(db, user)
    await actions.choose(db, user, {(INVITATION_ACCEPTED.name, Channel.DIGEST): True}, facts=RequestFacts())
    assert await actions.send_digest(db, settings, user.id, before=clock.now() + timedelta(seconds=1))


async def test_programs_list_and_mark_a_persons_notifications(client: AsyncTestClient, db: AsyncSession) -> None:
    user = await add_person(db)
    await tell(db, user, times=3)
    await log_in(client)
    headers = {"x-csrf-token": await csrf_token(client)}
    page = (await client.get("/api/v1/me/notifications?limit=2")).json()
    rest = (await client.get(f"/api/v1/me/notifications?cursor={page['next_cursor']}")).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert page["items"][0]["text"] == "Ada Lovelace joined <Engines>."

    marked = await client.post(f"/api/v1/me/notifications/{page['items'][0]['id']}/read", headers=headers)
    assert marked.json()["read_at"] is not None
    assert (await client.post("/api/v1/me/notifications/read", headers=headers)).json() == {"count": 2}

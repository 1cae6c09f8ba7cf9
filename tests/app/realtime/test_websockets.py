"""The websocket at /ws: who may listen, to what, how fast, and when it ends."""

import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app import clock
from app.accounts.actions import end_sessions
from app.accounts.models import Session, User
from app.accounts.sessions import hash_token
from app.organizations.models import Membership
from app.policy import Role
from app.publishing import LARGEST_DATA, RealtimeEvent, publish
from app.realtime.events import Event
from app.realtime.hub import LONGEST_QUEUE
from tests.app.realtime.listening import Person, Product


async def tell(product: Product, topic: str, **ids: UUID | int) -> None:
    async with product.database.transaction() as db:
        await publish(db, topic, "test.happened", ids)


async def undone(product: Product, topic: str) -> None:
    """Publish in a transaction that fails."""
    with suppress(ZeroDivisionError):
        async with product.database.transaction() as db:
            await publish(db, topic, "test.undone")
            raise ZeroDivisionError


async def refused_with(product: Product, person: Person | None, origin: str | None = None) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(f"{product.url.replace('http', 'ws')}/ws", **product.handshake(person, origin)):
            raise AssertionError("The handshake was accepted.")
    return refusal.value.response.status_code


@pytest.mark.requirement("WSK-1")
async def test_only_our_own_pages_and_only_with_a_session_may_listen(product: Product) -> None:
    ada = await product.add_person()

    for origin in ("http://evil.example", f"{product.url}.evil.example", product.url.replace("http", "https"), "null"):
        assert await refused_with(product, ada, origin) == 403
    assert await refused_with(product, None) == 401
    async with product.listening(ada, ada.own_topic, ada.organization_topic) as listener:
        assert listener.first == {"type": "subscribed", "topics": [ada.own_topic, ada.organization_topic]}


async def test_what_is_published_is_heard_once_its_transaction_commits(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada, ada.own_topic) as listener:
        await undone(product, ada.own_topic)
        await tell(product, ada.own_topic, thing_id=ada.user.id)
        heard = await listener.hear()

    assert heard["type"] == "test.happened"
    assert heard["topic"] == ada.own_topic
    assert heard["data"] == {"thing_id": str(ada.user.id)}


@pytest.mark.requirement("WSK-1", "TEN-1")
async def test_topics_of_others_are_as_missing_as_those_that_do_not_exist(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    async with product.listening(ada, ada.own_topic) as listener:
        for topic in (grace.own_topic, grace.organization_topic, f"boat:{ada.organization.id}", "user:me", "x"):
            answer = await listener.ask(type="subscribe", topics=[topic])
            assert answer == {"type": "refused", "topics": [topic], "reason": "There is no such topic."}
        await tell(product, grace.own_topic)
        await tell(product, grace.organization_topic)
        await tell(product, ada.own_topic)
        assert (await listener.hear())["topic"] == ada.own_topic


async def test_a_topic_takes_the_permission_that_its_pages_take(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    await product.add_member(grace, ada.organization.id)
    async with product.listening(grace, ada.organization_topic) as listener:
        answer = await listener.ask(type="subscribe", topics=[f"audit:{ada.organization.id}"])
        assert answer["type"] == "refused"
        assert "Your role does not allow this" in answer["reason"]


@pytest.mark.requirement("SES-4", "WSK-1")
async def test_sockets_end_within_a_second_of_their_session(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada, ada.own_topic) as listener:
        began = time.monotonic()
        async with product.changing() as db:
            await end_sessions(db, ada.user)

        assert await listener.end() == 4401
        assert time.monotonic() - began < 1


@pytest.mark.requirement("SES-4")
async def test_a_session_that_expires_ends_its_sockets(product: Product) -> None:
    ada = await product.add_person()
    async with product.changing() as db:
        own = Session.token_hash == hash_token(ada.token)
        await db.execute(update(Session).where(own).values(expires_at=clock.now() + timedelta(seconds=0.4)))
    async with product.listening(ada, ada.own_topic) as listener:
        assert await listener.end() == 4401


@pytest.mark.requirement("AUT-6", "WSK-1")
async def test_sockets_of_a_disabled_person_end(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada, ada.own_topic) as listener:
        async with product.changing() as db:
            await db.execute(update(User).where(User.id == ada.user.id).values(status="locked"))
        assert await listener.end() == 4401


@pytest.mark.requirement("WSK-1")
@pytest.mark.parametrize("ending", ["removed", "suspended", "demoted"])
async def test_what_a_membership_opened_ends_with_it(product: Product, ending: str) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    await product.add_member(grace, ada.organization.id, Role.ADMIN)
    membership = (Membership.user_id == grace.user.id) & (Membership.organization_id == ada.organization.id)
    changes = {
        "removed": delete(Membership).where(membership),
        "suspended": update(Membership).where(membership).values(status="suspended"),
        "demoted": update(Membership).where(membership).values(role=Role.MEMBER),
    }
    async with product.listening(grace, f"audit:{ada.organization.id}") as listener:
        async with product.changing() as db:
            await db.execute(changes[ending])
        assert await listener.end() == 4401


async def test_a_change_that_takes_nothing_away_ends_nothing(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    await product.add_member(grace, ada.organization.id)
    async with product.listening(grace, ada.organization_topic) as listener:
        async with product.changing() as db:
            her_place = (Membership.user_id == grace.user.id) & (Membership.role == Role.MEMBER)
            await db.execute(update(Membership).where(her_place).values(role=Role.ADMIN))
        await tell(product, ada.organization_topic)
        assert (await listener.hear())["type"] == "test.happened"


async def test_who_comes_back_is_told_what_was_missed(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada, ada.own_topic) as listener:
        await tell(product, ada.own_topic, number=1)
        last = (await listener.hear())["id"]
    await tell(product, ada.own_topic, number=2)
    await tell(product, f"user:{ada.organization.id}", number=3)
    async with product.listening(ada, ada.own_topic, since=last) as listener:
        assert (await listener.hear())["data"] == {"number": 2}
        await tell(product, ada.own_topic, number=4)
        assert (await listener.hear())["data"] == {"number": 4}


async def test_an_event_with_a_lower_id_that_was_committed_later_is_not_lost(product: Product) -> None:
    ada = await product.add_person()
    async with product.database.transaction() as slow:
        await publish(slow, ada.own_topic, "test.slow")
        async with product.listening(ada, ada.own_topic) as listener:
            await tell(product, ada.own_topic, number=2)
            last = (await listener.hear())["id"]
    async with product.listening(ada, ada.own_topic, since=last) as listener:
        # It may be so late that it is heard before the answer to the subscription.
        assert "test.slow" in {listener.first["type"], (await listener.hear())["type"]}


async def test_who_was_away_for_too_long_is_told_to_read_anew(product: Product) -> None:
    ada = await product.add_person()
    await tell(product, ada.own_topic)
    async with product.database.transaction() as db:
        newest = await db.scalar(select(RealtimeEvent.id).order_by(RealtimeEvent.id.desc()).limit(1))
        await db.execute(delete(RealtimeEvent))
    async with product.listening(ada, ada.own_topic, since=newest) as listener:
        assert (await listener.hear())["type"] == "reset"


@pytest.mark.requirement("WSK-2")
async def test_large_messages_and_many_of_them_end_the_connection(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada) as listener:
        await listener.socket.send("x" * 70_000)
        assert await listener.end() == 1009
    async with product.listening(ada) as listener:
        await listener.socket.send("x" * 20_000)
        assert await listener.end() == 1009
    async with product.listening(ada) as listener:
        assert (await listener.ask(type="ping"))["type"] == "pong"
        for _ in range(40):
            await listener.socket.send('{"type": "ping"}')
        assert await listener.end() == 1008
    async with product.listening(ada) as listener:
        await listener.socket.send("[1]")
        assert await listener.end() == 1003


@pytest.mark.requirement("WSK-2")
async def test_a_person_has_so_many_sockets_and_no_more(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.realtime.hub.CONNECTIONS_PER_PERSON", 2)
    ada = await product.add_person()
    async with product.listening(ada), product.listening(ada):
        assert await refused_with(product, ada) == 429
    async with product.listening(ada):
        pass


def large_event(topic: str, number: int) -> Event:
    return Event(1_000_000_000 + number, topic, "test.large", {"filling": "x" * LARGEST_DATA})


@pytest.mark.requirement("WSK-3")
async def test_more_events_at_once_than_line_and_queue_hold_close_the_connection(product: Product) -> None:
    ada = await product.add_person()
    async with product.listening(ada, ada.own_topic) as listener:
        # No wait is in between, in which the listener could take some; the machine's own buffers hold up to ten megabytes.
        for number in range(100_000, 108_000):
            product.app.state.hub.deliver(large_event(ada.own_topic, number))
        assert await listener.end() == 1013


@pytest.mark.requirement("WSK-3")
async def test_a_listener_who_takes_nothing_is_given_up_and_the_others_hear_everything(product: Product) -> None:
    ada, grace = await product.add_person(), await product.add_person("Grace Hopper")
    await product.add_member(grace, ada.organization.id)
    hub = product.app.state.hub
    async with (
        product.listening(grace, ada.organization_topic) as quick,
        product.listening(ada, ada.organization_topic) as slow,
    ):
        slow.socket.transport.pause_reading()
        heard, number = 0, 1000
        while hub.count_connections(ada.user.id):
            number, heard = number + 1, heard + 1
            hub.deliver(large_event(ada.organization_topic, number))
            assert (await quick.hear())["id"] == 1_000_000_000 + number
        assert heard > LONGEST_QUEUE
        slow.socket.transport.abort()

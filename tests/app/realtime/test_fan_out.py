"""How an event goes to everybody who listens: its frame made once and written at once, in order, whatever its length."""

import asyncio

import pytest

from app.publishing import publish
from app.realtime.events import Event
from app.realtime.hub import Subscription
from tests.app.realtime.listening import Product


async def test_an_event_is_written_in_the_moment_in_which_it_arrives(product: Product) -> None:
    ada = await product.add_person()
    async with (
        product.listening(ada, ada.own_topic) as one,
        product.listening(ada, ada.own_topic) as other,
        product.listening(ada, ada.organization_topic) as elsewhere,
    ):
        event = Event(10**6, ada.own_topic, "test.happened", {})
        product.app.state.hub.deliver(event)

        assert "frame" in vars(event), "nobody had to be woken for it"
        assert await one.hear() == await other.hear() == {
            "id": 10**6, "type": "test.happened", "topic": ada.own_topic, "data": {}
        }  # fmt: skip
        assert (await elsewhere.ask(type="ping"))["type"] == "pong", "it heard nothing of another topic"


@pytest.mark.parametrize("length", [0, 1, 20, 30, 500, 1500])
async def test_an_event_is_heard_whatever_its_length(product: Product, length: int) -> None:
    ada = await product.add_person()
    async with product.listening(ada, ada.own_topic) as listener:
        async with product.database.transaction() as db:
            await publish(db, ada.own_topic, "test.happened", {"words": "ä" * (length // 2)})
        assert (await listener.hear())["data"] == {"words": "ä" * (length // 2)}


class Line:
    """Takes events at once as long as there is room."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.is_full = False

    def take(self, event: Event) -> bool:
        if not self.is_full:
            self.taken.append(event.id)
        return not self.is_full


def numbered(number: int) -> Event:
    return Event(number, "user:1", "test.happened", {})


async def next_id(queue: Subscription) -> int:
    event = await queue.next(5)
    assert event is not None
    return event.id


async def test_no_event_overtakes_one_that_waits() -> None:
    line, queue = Line(), Subscription()
    queue.at_once = line.take
    queue.offer(numbered(1))
    assert await next_id(queue) == 1, "nobody was waiting, so that something may be on its way"

    waiting = asyncio.ensure_future(next_id(queue))
    await asyncio.sleep(0)
    queue.offer(numbered(2))
    line.is_full = True
    queue.offer(numbered(3))
    line.is_full = False
    queue.offer(numbered(4))

    assert line.taken == [2]
    assert [await waiting, await next_id(queue)] == [3, 4]

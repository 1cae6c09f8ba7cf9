"""The two ways to listen: a websocket at /ws, and server-sent events at /events. Both tell the same."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.accounts.dependencies import CurrentUser
from app.database import Db, release_connection
from app.errors import Refusal
from app.realtime.dependencies import Listener
from app.realtime.live import TRY_AGAIN_LATER, Ended, LiveConnection, live_connection
from app.realtime.presence import PresenceKeeper
from app.realtime.protocol import frame_writer
from app.realtime.racing import first_to_end
from app.realtime.rates import MessageRate
from app.realtime.topics import USER
from core.params import Query
from core.requests import Request
from core.responses import Response
from core.sse import EventSourceResponse, ServerSentEvent, last_event_id
from core.types import Receive, Scope, Send
from core.websockets import WebSocket, WebSocketDisconnect

LARGEST_MESSAGE = 16 * 1024  # Characters. The server refuses what is larger than 64 KB before it gets here.
CLOSING_SECONDS = 1.0
RETRY_MILLISECONDS = 2000
UNSUPPORTED, POLICY_VIOLATION, TOO_LARGE = 1003, 1008, 1009


class ClientMessage(BaseModel):
    """What a client may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Annotated[str, Field(pattern="^(subscribe|unsubscribe|ping)$")]
    topics: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=100)] = ()
    since: Annotated[int, Field(ge=0, lt=2**63)] | None = None


async def converse(websocket: WebSocket, live: Listener) -> None:
    """Tell what happens in the topics that the client names, until either ends it."""
    await websocket.accept()
    code, reason = 1000, ""
    try:
        await websocket.send_json({"type": "ready", "id": await live.find_place()})
        keeper: PresenceKeeper = websocket.app.state.presence
        async with keeper.keeping(live):
            await first_to_end(_tell(websocket, live), _listen(websocket, live), _give_up(live))
    except WebSocketDisconnect:
        return
    except Ended as end:
        code, reason = end.code, end.reason
    with suppress(TimeoutError, RuntimeError):
        # A client that takes nothing does not take its end either.
        await asyncio.wait_for(websocket.close(code, reason), CLOSING_SECONDS)


async def _tell(websocket: WebSocket, live: LiveConnection) -> None:
    if write := frame_writer(websocket):
        live.write_with(write)
    async for event in live.events():
        await websocket.send_text(event.text)


async def _give_up(live: LiveConnection) -> None:
    """End what no longer takes its events, also while one is being sent."""
    await live.queue.overflowed.wait()
    raise Ended(TRY_AGAIN_LATER, "Too slow")


async def _listen(websocket: WebSocket, live: LiveConnection) -> None:
    rate = MessageRate()
    while True:
        text = await websocket.receive_text()
        if len(text) > LARGEST_MESSAGE:
            raise Ended(TOO_LARGE, "Message too large")
        if not rate.allows():
            raise Ended(POLICY_VIOLATION, "Too many messages")
        try:
            message = ClientMessage.model_validate_json(text)
        except ValidationError:
            raise Ended(UNSUPPORTED, "Not a message of ours") from None
        await _obey(websocket, live, message)


async def _obey(websocket: WebSocket, live: LiveConnection, message: ClientMessage) -> None:
    if message.type == "ping":
        await websocket.send_json({"type": "pong"})
    elif message.type == "unsubscribe":
        live.unfollow(message.topics)
        await websocket.app.state.presence.note(live)
        await websocket.send_json({"type": "unsubscribed", "topics": message.topics})
    else:
        await _subscribe(websocket, live, message)


async def _subscribe(websocket: WebSocket, live: LiveConnection, message: ClientMessage) -> None:
    try:
        missed = await live.follow(message.topics, message.since)
    except Refusal as refusal:
        await websocket.send_json({"type": "refused", "topics": message.topics, "reason": refusal.message})
        return
    await websocket.send_json({"type": "subscribed", "topics": message.topics})
    for event in missed:
        await websocket.send_text(event.text)
    await websocket.app.state.presence.note(live)  # Last, so that one's own coming is told after the answer.


class LiveEvents(EventSourceResponse):
    """A stream that ends at once when its client takes nothing, or its session is over."""

    def __init__(self, live: LiveConnection, events: AsyncIterator[ServerSentEvent], stack: AsyncExitStack) -> None:
        super().__init__(events, retry=RETRY_MILLISECONDS)
        self._live = live
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            with suppress(Ended):
                await first_to_end(super().__call__(scope, receive, send), _give_up(self._live))


async def stream(
    request: Request,
    user: CurrentUser,
    db: Db,
    topic: Annotated[Sequence[str], Query()] = (),
    since: Annotated[int | None, Query()] = None,
) -> Response:
    """Tell what happens in the topics of the query, one's own where none is named, from `since` or Last-Event-ID on."""
    await release_connection(db)
    seen = last_event_id(request)
    after = int(seen) if seen is not None and seen.isdecimal() else since
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(live_connection(request))
        missed = await live.follow(list(topic) or [f"{USER}:{user.id}"], after)
        await stack.enter_async_context(request.app.state.presence.keeping(live))
        place = await live.find_place()
        return LiveEvents(live, _events(live, [each.server_sent for each in missed], place), stack.pop_all())
    raise AssertionError("The stack suppresses nothing.")


async def _events(
    live: LiveConnection, missed: Sequence[ServerSentEvent], place: int
) -> AsyncIterator[ServerSentEvent]:
    for event in missed:
        yield event
    yield ServerSentEvent.json({"type": "ready", "id": place}, id=str(place))
    try:
        async for happened in live.events():
            yield happened.server_sent
    except Ended as end:
        # Not an error: the browser is told not to come back with this session.
        yield ServerSentEvent.json({"type": "ended", "code": end.code})

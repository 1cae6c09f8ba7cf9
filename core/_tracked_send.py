"""A send that knows whether a response has begun: the one thing that every layer which answers errors must know."""

from __future__ import annotations

from collections.abc import Awaitable

from core.types import Message, Send

# The messages that begin a response; the second one in place of a websocket.
STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class TrackedSend:
    """A send that remembers whether a response has begun.

    All layers that meet the same object share its one flag. A middleware that wraps it starts a new one,
    because what the inside has sent may not have left the middleware yet.
    """

    __slots__ = ("response_started", "send")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.response_started = False

    def __call__(self, message: Message) -> Awaitable[None]:
        # Returns the awaitable of the inner send rather than awaiting it, which saves a frame per message.
        if message["type"] in STARTS:
            self.response_started = True
        return self.send(message)


def track(send: Send) -> TrackedSend:
    """The send itself if it is tracked already, else a tracked one around it."""
    return send if type(send) is TrackedSend else TrackedSend(send)


class HoldingSend:
    """A send that holds its caller at the last message, until what follows it may happen.

    Who has nothing to do after the last message says so before it, and is not held.
    """

    nothing_follows = False

"""What is told: an event in memory, with the forms in which it goes out made once, however many hear it."""

import json
import struct
from functools import cached_property
from typing import Any

from core.sse import ServerSentEvent

# Somebody's rights may have changed: for the process alone, which looks again whether its listeners may listen.
SESSION_ENDED = "session.ended"
ACCESS_CHANGED = "access.changed"
# Events were missed and cannot be told any more: whoever follows reads anew what it shows.
RESET = "reset"
TEXT_FRAME = 0x81


class Event:
    """An event of `app.publishing`, as the process heard or read it."""

    def __init__(self, id: int, topic: str, type: str, data: dict[str, Any], oldest_transaction: int = 0) -> None:
        self.id = id
        self.topic = topic
        self.type = type
        self.data = data
        self.oldest_transaction = oldest_transaction

    @classmethod
    def from_json(cls, text: str) -> "Event":
        """From what PostgreSQL or Redis brought."""
        return cls(**json.loads(text))

    @property
    def changes_access(self) -> bool:
        return self.type in (SESSION_ENDED, ACCESS_CHANGED)

    @cached_property
    def text(self) -> str:
        """As JSON, for clients."""
        members = {"id": self.id, "type": self.type, "topic": self.topic, "data": self.data}
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def frame(self) -> bytes:
        """As a websocket's whole text message from a server (RFC 6455, section 5.2), without compression."""
        payload = self.text.encode()
        size = len(payload)
        head = struct.pack("!BB", TEXT_FRAME, size) if size < 126 else struct.pack("!BBH", TEXT_FRAME, 126, size)
        return head + payload

    @cached_property
    def server_sent(self) -> ServerSentEvent:
        return ServerSentEvent(self.text, id=str(self.id) if self.id else None)


def reset() -> Event:
    return Event(0, "", RESET, {})

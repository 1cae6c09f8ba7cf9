"""What can be followed, and who may: "user:<id>" by that person alone, "<kind>:<organization's id>" by a permission.

A feature adds kinds in its routes.py: `realtime_topics = {"project": "projects.view"}`, and publishes to "project:<organization's id>".
"""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from app import features
from app.errors import Refusal
from app.language import N_

USER = "user"
PRESENCE = "presence"
OWN = {"organization": "organization.view", "audit": "audit.view", PRESENCE: "members.view"}


class NoSuchTopic(Refusal):
    """Nobody can follow this, or this person cannot: which of the two is not said."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(N_("There is no such topic."))


@dataclass(frozen=True)
class Topic:
    """`id` is the person's or the organization's, `permission` what following it takes; None where it is the person's own."""

    kind: str
    id: UUID
    permission: str | None

    @classmethod
    def parse(cls, name: str) -> "Topic":
        """Raises NoSuchTopic."""
        kind, _, identifier = name.partition(":")
        try:
            found = cls(kind, UUID(identifier), None if kind == USER else permissions()[kind])
        except (ValueError, KeyError):
            raise NoSuchTopic from None
        if found.name != name:
            raise NoSuchTopic
        return found

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}"


@lru_cache(maxsize=1)
def permissions() -> dict[str, str]:
    """The permission that each kind of topic takes."""
    found = dict(OWN)
    for _, module in features.modules("routes"):
        found |= getattr(module, "realtime_topics", {})
    return found

"""What can be followed, and who may: "user:<id>" by that person alone, "<kind>:<organization's id>" by a permission.

A feature adds kinds in its routes.py: `realtime_topics = {"project": "projects.view"}`, and publishes to "project:<organization's id>".
It adds places in which people see each other likewise: `presence_places = {"project": "projects.view"}` lets people follow
"presence:<organization's id>/project:<project's id>".
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
    """`id` is the person's or the organization's, `permissions` what following it takes: none where it is the person's own."""

    kind: str
    id: UUID
    permissions: tuple[str, ...]
    place: str = ""

    @classmethod
    def parse(cls, name: str) -> "Topic":
        """Raises NoSuchTopic."""
        kind, _, rest = name.partition(":")
        identifier, _, place = rest.partition("/")
        try:
            needed = () if kind == USER else (permissions()[kind],)
            if place:
                needed = (*needed, place_permission(place))
            found = cls(kind, UUID(identifier), needed, place)
        except (ValueError, KeyError):
            raise NoSuchTopic from None
        if place and kind != PRESENCE:
            raise NoSuchTopic
        if found.name != name:
            raise NoSuchTopic
        return found

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}" + (f"/{self.place}" if self.place else "")


def presence_topic(organization_id: UUID, place: str) -> str:
    """What those follow who are at a place, and want to know who else is."""
    return f"{PRESENCE}:{organization_id}/{place}" if place else f"{PRESENCE}:{organization_id}"


def place_permission(place: str) -> str:
    """The permission that being at a place takes. Raises NoSuchTopic."""
    kind, _, identifier = place.partition(":")
    try:
        if str(UUID(identifier)) == identifier:
            return _collected("presence_places")[kind]
    except (ValueError, KeyError):
        pass
    raise NoSuchTopic


def permissions() -> dict[str, str]:
    """The permission that each kind of topic takes."""
    return OWN | _collected("realtime_topics")


@lru_cache(maxsize=2)
def _collected(name: str) -> dict[str, str]:
    """What the features' routes.py say under a name, together."""
    found: dict[str, str] = {}
    for _, module in features.modules("routes"):
        found |= getattr(module, name, {})
    return found

"""The kinds of notification, as data: what each says, where it leads, and how people get it unless they choose otherwise.

A feature that has something new to say adds a line here and calls `actions.notify` in the transaction of the change.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.language import N_, ngettext
from app.language import gettext as _
from app.notifications.models import Channel

BOTH = frozenset({Channel.IN_APP, Channel.DIGEST})


@dataclass(frozen=True)
class Kind:
    """`sentence` names what `data` holds: actor, organization, work. `others` follows it where several were put together.

    `route` leads to where something can be done about it, with those of `data` as parameters that `parameters` lists.
    """

    name: str
    label: str
    sentence: str
    route: str
    parameters: tuple[str, ...] = ()
    # The feature mails it anyway, so that a message by this one would be the second.
    is_mailed: bool = False
    defaults: frozenset[Channel] = BOTH

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Where people may choose to get it."""
        return tuple(channel for channel in Channel if not (self.is_mailed and channel is Channel.EMAIL))


INVITATION_RECEIVED = Kind(
    "invitations.received",
    N_("Somebody invites you to an organization"),
    N_("%(actor)s invites you to join %(organization)s."),
    "invitations.organizations",
    is_mailed=True,
)
INVITATION_ACCEPTED = Kind(
    "invitations.accepted",
    N_("Somebody accepts your invitation"),
    N_("%(actor)s joined %(organization)s."),
    "organizations.members",
    ("slug",),
    is_mailed=True,
)
ROLE_CHANGED = Kind(
    "members.role_changed",
    N_("Your role in an organization changes"),
    N_("%(actor)s changed your role in %(organization)s."),
    "organizations.dashboard",
    ("slug",),
    is_mailed=True,
)
OWNERSHIP_OFFERED = Kind(
    "ownership.offered",
    N_("An organization is offered to you"),
    N_("%(actor)s offers %(organization)s to you."),
    "organizations.show_offer",
    ("slug",),
    is_mailed=True,
)
EXPORT_READY = Kind(
    "privacy.export_ready",
    N_("The copy of your data is ready"),
    N_("The copy of your data can be downloaded."),
    "privacy.export",
    is_mailed=True,
)
WORK_DONE = Kind(
    "jobs.done",
    N_("Work that you wait for is done"),
    N_("%(organization)s: “%(work)s” is done."),
    "jobs.progress",
    ("progress_id",),
)
WORK_FAILED = Kind(
    "jobs.failed",
    N_("Work that you wait for did not succeed"),
    N_("%(organization)s: “%(work)s” did not succeed."),
    "jobs.progress",
    ("progress_id",),
)

_ALL = (INVITATION_RECEIVED, INVITATION_ACCEPTED, ROLE_CHANGED, OWNERSHIP_OFFERED, EXPORT_READY, WORK_DONE, WORK_FAILED)
KINDS = {kind.name: kind for kind in _ALL}


def sentence(name: str, data: Mapping[str, str], count: int = 1) -> str:
    """What happened, in the reader's language; a kind that is no longer known is told by its name."""
    kind = KINDS.get(name)
    if kind is None:
        return name
    said = _(kind.sentence) % {name: data.get(name, "") for name in ("actor", "organization", "work")}
    if count == 1:
        return said
    more = ngettext("One more like it.", "%(num)s more like it.", count - 1) % {"num": count - 1}
    return f"{said} {more}"

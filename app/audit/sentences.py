"""The events of an organization in words."""

from collections.abc import Mapping
from functools import lru_cache

from app import features
from app.audit.models import AuditEvent
from app.language import N_
from app.language import gettext as _

# Features that are built on this one say theirs in `audit_sentences` of their routes.py. An event without a sentence shows
# its name, which is honest, and ugly enough to be noticed.
SENTENCES = {
    "audit.exported": N_("%(who)s downloaded the audit log"),
    "invitations.accepted": N_("%(who)s accepted an invitation"),
    "invitations.declined": N_("%(who)s declined an invitation"),
    "invitations.revoked": N_("%(who)s took the invitation of %(target)s back"),
    "invitations.sent": N_("%(who)s invited %(target)s as %(after)s"),
    "invitations.sent_again": N_("%(who)s sent the invitation of %(target)s again"),
    "join_domains.added": N_("%(who)s opened the organization to people at %(target)s"),
    "join_domains.removed": N_("%(who)s closed the organization to people at %(target)s"),
    "join_links.created": N_("%(who)s made a join link"),
    "join_links.revoked": N_("%(who)s took a join link back"),
    "join_requests.granted": N_("%(who)s let %(target)s in"),
    "join_requests.refused": N_("%(who)s did not let %(target)s in"),
    "members.joined": N_("%(who)s joined"),
    "members.left": N_("%(who)s left"),
    "members.reactivated": N_("%(who)s let %(target)s back in"),
    "members.removed": N_("%(who)s removed %(target)s"),
    "members.role_changed": N_("%(who)s gave %(target)s the role %(after)s"),
    "members.suspended": N_("%(who)s suspended %(target)s"),
    "organizations.became_team": N_("%(who)s made it a team's organization"),
    "organizations.closed": N_("%(who)s asked for the organization to be deleted"),
    "organizations.created": N_("%(who)s created the organization"),
    "organizations.defaults_changed": N_("%(who)s changed the language or the time zone of the organization"),
    "organizations.kept": N_("%(who)s kept the organization from being deleted"),
    "organizations.logo_removed": N_("%(who)s removed the organization's logo"),
    "organizations.logo_set": N_("%(who)s gave the organization a logo"),
    "organizations.moved": N_("%(who)s gave the organization another address"),
    "organizations.renamed": N_("%(who)s renamed the organization to %(after)s"),
    "ownership.accepted": N_("%(who)s became the owner"),
    "ownership.declined": N_("%(who)s declined to become the owner"),
    "ownership.offered": N_("%(who)s offered the organization to %(target)s"),
    "ownership.withdrawn": N_("%(who)s took the offer of the organization back"),
    "roles.changed": N_("%(who)s changed the role %(target)s"),
    "roles.created": N_("%(who)s made the role %(target)s"),
    "roles.deleted": N_("%(who)s deleted the role %(target)s"),
    "security.policy_changed": N_("%(who)s changed the security policy"),
}


@lru_cache(maxsize=1)
def all_sentences() -> Mapping[str, str]:
    """The sentence of every event that has one, as message ids."""
    found = dict(SENTENCES)
    for _name, module in features.modules("routes"):
        found.update(getattr(module, "audit_sentences", {}))
    return dict(sorted(found.items()))


def sentence(event: AuditEvent, *, product: str, roles: Mapping[str, str]) -> str:
    """What happened, for those who may read it. The product itself is called `product`, and a role as `roles` calls its key."""
    known = all_sentences().get(event.action)
    who = event.actor_label or product
    if known is None:
        return f"{who}: {event.action}"
    role = _after(event, "role")
    after = _after(event, "name") or (roles.get(role, role) if role else "")
    return _(known) % {"who": who, "target": event.target_label or "", "after": after}


def roles_named(event: AuditEvent) -> set[str]:
    """The keys of the roles that somebody had before the event and has since."""
    return {str(role) for role in (event.changes or {}).get("role") or () if role}


def _after(event: AuditEvent, field: str) -> str | None:
    _before, after = (event.changes or {}).get(field) or (None, None)
    return str(after) if after else None

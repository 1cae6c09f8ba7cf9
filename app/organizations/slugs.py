"""Slugs: an organization's part of every address below /o."""

import re
import secrets
import unicodedata
from collections.abc import Iterator

from app.language import N_
from app.organizations.models import LONGEST_SLUG, SLUG_PATTERN

ATTEMPTS = 6
# Two characters leave room for nobody else; and these read as pages of the product, or as somebody they are not.
SHORTEST_SLUG = 3
RESERVED_SLUGS = frozenset(
    """about account accounts admin administrator api app auth billing blog changelog contact dashboard dev docs events
    forgot-password graphql health healthz help home hostmaster invitations legal log-in log-out login logout mail me members
    metrics new null oauth organization organizations owner password postmaster pricing privacy public readyz reset-password
    root security settings sign-up signup slipway staff static status support system team terms undefined user users
    verify-email webhooks webmaster ws www""".split()  # noqa: SIM905 - a list of quoted words is harder to read and to add to.
)


def slug_candidates(name: str) -> Iterator[str]:
    """Slugs for an organization of this name, the plainest first; the later ones are hardly ever taken."""
    plain = slug_of(name)
    if len(plain) >= SHORTEST_SLUG and plain not in RESERVED_SLUGS:
        yield plain
    for attempt in range(ATTEMPTS):
        suffix = secrets.token_hex(2 + attempt)
        yield f"{plain[: LONGEST_SLUG - len(suffix) - 1].strip('-') or 'team'}-{suffix}"


def is_slug(text: str) -> bool:
    """Whether any organization could have this slug: what the table's own check would let in."""
    return len(text) <= LONGEST_SLUG and re.fullmatch(SLUG_PATTERN.strip("^$"), text) is not None


def slug_problem(slug: str) -> str | None:
    """Why nobody may choose this slug, as a message id, or None. Whether it is taken is another question."""
    if not is_slug(slug):
        return N_("Use small letters, digits and single hyphens between them, 40 at most.")
    if len(slug) < SHORTEST_SLUG:
        return N_("Use at least three characters.")
    return N_("This address is reserved. Choose another one.") if slug in RESERVED_SLUGS else None


def slug_of(name: str) -> str:
    """A name in lower-case ASCII letters, digits and single hyphens; empty for names without any Latin letter or digit."""
    decomposed = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", decomposed.lower()).strip("-")[:LONGEST_SLUG].strip("-")

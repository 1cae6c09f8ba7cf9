"""How hard a password is to guess, as a number for a meter. The rules that refuse one are in `passwords`."""

import math
from collections.abc import Iterable
from itertools import pairwise

from app.accounts import passwords
from app.language import N_

MOST = 4
LABELS = (N_("Too easy to guess"), N_("Weak"), N_("Fair"), N_("Good"), N_("Strong"))
# Bits that a guesser has to find, from which a password counts as weak, fair, good and strong.
_STEPS = (0.0, 50.0, 65.0, 80.0)
_MEASURED = 200  # Characters; nobody needs to know how strong the rest is.


def strength(password: str, context: Iterable[str] = ()) -> int:
    """From 0 (refused) to 4. Only what a guesser cannot foresee counts: repetitions and sequences add next to nothing."""
    if passwords.weakness(password, context):
        return 0
    bits = _surprises(password[:_MEASURED]) * math.log2(_alphabet(password))
    return sum(1 for step in _STEPS if bits >= step)


def _surprises(password: str) -> int:
    """How many characters do not simply continue the one before: "aaaa" and "abcd" have one each."""
    following = sum(1 for left, right in pairwise(password) if abs(ord(left) - ord(right)) > 1)
    return min(1 + following, 2 * len(set(password)))


def _alphabet(password: str) -> int:
    kinds = (
        (any(c.islower() for c in password), 26),
        (any(c.isupper() for c in password), 26),
        (any(c.isdigit() for c in password), 10),
        (any(not c.isalnum() for c in password), 10),
    )
    # Words are far from random letters: half of what the letters could hold is a fair guess.
    return max(4, sum(size for is_used, size in kinds if is_used) // 2)

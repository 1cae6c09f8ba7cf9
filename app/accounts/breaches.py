"""Whether a password appears in known leaks, asked of a list that never learns which password is meant.

The service gets the first five digits of the password's SHA-1 and answers with the rest of every leaked one that begins so
(k-anonymity, the range API of Have I Been Pwned). It asks for padding, so that not even the size of the answer tells.
"""

import hashlib

import structlog

from app.outgoing import NoAnswer, call

log = structlog.get_logger(__name__)

DEADLINE = 2.0  # Seconds: somebody waits for this.
PREFIX = 5  # Hexadecimal digits.


async def has_leaked(url: str, password: str, *, deadline: float = DEADLINE) -> bool:
    """Whether the list at `url` has the password. If it cannot be asked, nobody is kept out: the log says so."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        answer = await call(
            "GET",
            f"{url}/range/{digest[:PREFIX]}",
            deadline=deadline,
            headers={"accept": "text/plain", "add-padding": "true"},
        )
    except NoAnswer as reason:
        log.warning("accounts.breach_check_failed", reason=str(reason))
        return False
    if not answer.is_success:
        log.warning("accounts.breach_check_failed", reason=f"HTTP {answer.status_code}")
        return False
    return _is_listed(answer.text, digest[PREFIX:])


def _is_listed(text: str, suffix: str) -> bool:
    """Lines are `SUFFIX:COUNT`; those that only pad the answer count zero."""
    for line in text.splitlines():
        found, _, count = line.strip().partition(":")
        if found == suffix:
            return count.isdecimal() and int(count) > 0
    return False

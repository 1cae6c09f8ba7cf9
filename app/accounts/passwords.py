"""Passwords: hashed with argon2id off the event loop, and refused when they are easy to guess.

Length and unpredictability are all that is asked for; rules about kinds of characters make passwords worse
(NIST SP 800-63B section 3.1.1.2).
"""

import asyncio
import os
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.accounts.common_passwords import DECORATION, is_listed
from app.config_rules import DEFAULT_PASSWORD_MEMORY
from app.errors import Refusal
from app.language import N_

SHORTEST = 12  # characters
LONGEST = 1024  # bytes in UTF-8, so that nobody makes us hash megabytes
WAITING_PER_CORE = 32  # About a second of waiting for the last in the queue.
RETRY_AFTER_SECONDS = 2
HASHING_NICENESS = 5  # Of 19. With 10, log-ins take twice as long on a machine that has other things to do.

TOO_SHORT = N_("Use at least 12 characters. A few unrelated words are easy to remember.")
TOO_LONG = N_("Use at most 1,024 bytes.")
TOO_COMMON = N_("This password is among the first that attackers try. Use a few unrelated words instead.")
TOO_PERSONAL = N_("This password is mostly your name, your address or ours. Use a few unrelated words instead.")


def _with_memory(kibibytes: int) -> PasswordHasher:
    """OWASP's first choice for argon2id is 19 MiB, two passes, one lane: about 25 ms, and little memory with many at once."""
    return PasswordHasher(time_cost=2, memory_cost=kibibytes, parallelism=1)


_hasher = _with_memory(DEFAULT_PASSWORD_MEMORY)

ResultT = TypeVar("ResultT")


class TooManyPasswords(Refusal):
    """More people are logging in than the processors can hash for; a longer queue would only fill the memory."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            N_("Many people are logging in right now. Try again in a moment."),
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


def use_memory(kibibytes: int) -> None:
    """Hash with this much memory from now on. Older hashes still work, and are renewed when their person logs in."""
    global _hasher
    _hasher = _with_memory(kibibytes)
    # Made at once, so that the first stranger who tries an unknown address waits no longer than the next.
    _hash_of_nobody.cache_clear()
    _hash_of_nobody()


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its parameters inside. Raises TooManyPasswords."""
    return await _in_hashing_thread(lambda: _hasher.hash(_bytes(password)))


async def matches(password: str, hashed: str | None) -> bool:
    """Whether the password is the hashed one. Raises TooManyPasswords.

    Without a hash (nobody has the address) the same work is done for nothing, so that the time does not tell.
    """
    return await _in_hashing_thread(
        lambda: _verify(hashed or _hash_of_nobody(), _bytes(password)) and hashed is not None
    )


def is_outdated(hashed: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(hashed)


def weakness(password: str, context: Iterable[str] = ()) -> str | None:
    """Say why a new password is too easy to guess, or None.

    `context` is what an attacker tries first for this person: their name, their address, the product's name.
    """
    if len(password) < SHORTEST:
        return TOO_SHORT
    if len(_bytes(password)) > LONGEST:
        return TOO_LONG
    folded = password.casefold()
    if _leans_on(folded, context):
        return TOO_PERSONAL
    if _is_common(folded) or _is_pattern(folded):
        return TOO_COMMON
    return None


def _bytes(password: str) -> bytes:
    """The exact bytes after NFC: one password whatever keyboard it is typed on, and nothing else changed."""
    return unicodedata.normalize("NFC", password).encode()


def _verify(hashed: str, password: bytes) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _hasher.hash(os.urandom(16))


class _Queue:
    """Who is hashing and who waits for it, within one event loop.

    Hashing takes a whole core and 19 MiB, so only as many run as there are cores. AnyIO's limiter counts those who wait for
    it too late to refuse a burst, so they are counted here.
    """

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self.limiter = CapacityLimiter(cores)
        self.places = cores * (1 + WAITING_PER_CORE)
        self.taken = 0


_queue: RunVar[_Queue] = RunVar("password_hashing_queue")


async def _in_hashing_thread(work: Callable[[], ResultT]) -> ResultT:
    queue = _queue_of_this_loop()
    if queue.taken >= queue.places:
        raise TooManyPasswords
    queue.taken += 1
    try:
        async with queue.limiter:
            return await asyncio.get_running_loop().run_in_executor(_hashing_threads(), work)
    finally:
        queue.taken -= 1


@lru_cache(maxsize=1)
def _hashing_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "hashing", initializer=_stand_back)


def _stand_back() -> None:
    """Let the event loop's thread go first: whoever hashes waits anyway, and everybody else must not wait for them."""
    with suppress(OSError):  # Where priorities are not a thread's own.
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + HASHING_NICENESS)


def _queue_of_this_loop() -> _Queue:
    try:
        return _queue.get()
    except LookupError:
        queue = _Queue()
        _queue.set(queue)
        return queue


# How attackers' programs spell words: "p4ssw0rd". A one stands for an i or for an l.
_LEET = (str.maketrans("4@301!5$7", "aaeoiisst"), str.maketrans("4@301!5$7", "aaeollsst"))
_KEYBOARD_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "!@#$%^&*()_+",
)
_KEYBOARD_COLUMNS = (
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik(ol)p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
    "a1b2c3d4e5f6g7h8i9j0",
    "147258369",
)
_RUNS = tuple(text for row in (*_KEYBOARD_ROWS, *_KEYBOARD_COLUMNS) for text in (row * 3, row[::-1] * 3))
_SHORTEST_RUN = 3
_MOST_DECORATION = 8
_MEASURED = 64  # characters; what is longer is no common password with something around it
_SHORTEST_REST = 8  # characters that must be left when the guessable words are taken out


def _is_common(folded: str) -> bool:
    """Whether the password is a common one, also with a few characters, a run of keys or the like around it."""
    if len(folded) > _MEASURED:
        return False
    decorated = (spelling for spelling in _spellings(folded) if _is_little(folded, spelling))
    return any(is_listed(spelling) for spelling in decorated) or _is_common_beside_pattern(folded)


def _is_little(folded: str, spelling: str) -> bool:
    """Whether what stands around the spelling is short, or the same few characters again and again."""
    return len(folded) - len(spelling) <= _MOST_DECORATION or len(set(folded.replace(spelling, ""))) <= 3


def _spellings(folded: str) -> set[str]:
    """The password as written, without digits and marks at its ends, and without any; each also with digits read as letters."""
    letters = "".join(character for character in folded if character.isalpha())
    stripped = (folded, folded.strip(DECORATION), folded.rstrip(DECORATION), folded.lstrip(DECORATION), letters)
    return {spelling for text in stripped for spelling in (text, *(text.translate(leet) for leet in _LEET))}


def _is_common_beside_pattern(folded: str) -> bool:
    for cut in range(1, len(folded)):
        head, tail = folded[:cut], folded[cut:]
        if (is_listed(head) and _is_pattern(tail)) or (is_listed(tail) and _is_pattern(head)):
            return True
    return False


def _is_pattern(folded: str) -> bool:
    """Whether the password is one short piece repeated, or made of runs along the alphabet, the digits or the keyboard."""
    # A text stands inside its own double a second time if it is a piece repeated; the place is the length of the piece.
    piece = folded[: (folded + folded).find(folded, 1)]
    is_repeated = len(piece) < len(folded)
    return (
        (is_repeated and (len(piece) < SHORTEST or _is_common(piece)))
        or len(set(folded)) <= 3
        or _is_made_of_runs(folded)
    )


def _is_made_of_runs(folded: str) -> bool:
    while folded:
        length = _run_length(folded)
        if length < _SHORTEST_RUN:
            return False
        folded = folded[length:]
    return True


def _run_length(folded: str) -> int:
    """How many characters at the beginning follow each other on the keyboard, or are the same one."""
    length = len(folded) - len(folded.lstrip(folded[0]))
    while length < len(folded) and any(folded[: length + 1] in run for run in _RUNS):
        length += 1
    return length


def _leans_on(folded: str, context: Iterable[str]) -> bool:
    words = sorted(_context_words(context), key=len, reverse=True)
    return any(_is_mostly(text, words) for text in (folded, *(folded.translate(leet) for leet in _LEET)))


def _is_mostly(text: str, words: Iterable[str]) -> bool:
    rest = text
    for word in words:
        rest = rest.replace(word, "")
    return rest != text and len(rest) < _SHORTEST_REST


def _context_words(context: Iterable[str]) -> set[str]:
    """The words of names and addresses; those of three letters and fewer are in half of all good passwords."""
    spaced = "".join(c if c.isalnum() else " " for c in " ".join(context).casefold())
    return {word for word in (*spaced.split(), *(text.casefold() for text in context)) if len(word) > 3}

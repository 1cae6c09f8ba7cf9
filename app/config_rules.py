"""How single settings are parsed, and what production refuses.

A parser takes the text and raises ValueError with the end of a sentence that begins with the variable's name. No
message repeats the value of a secret or of a database address.
"""

from __future__ import annotations

import ipaddress
import itertools
import math
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from app.config import Settings

NEW_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 (a command, not a secret)

# 32 random bytes are 43 characters in base64 and 64 in hexadecimal digits.
DEFAULT_PASSWORD_MEMORY = 19 * 1024  # KiB, what OWASP recommends for argon2id with two passes.
SHORTEST_SECRET = 43
# Random base64 of that length measures about 200 bits, hexadecimal digits about 240, a repeated word far below 160.
LEAST_ENTROPY = 160.0
GUESSABLE_WORDS = ("secret", "change", "password", "example", "insecure", "default", "development", "slipway", "qwerty")
GUESSABLE_PASSWORDS = frozenset(
    (
        "postgres",
        "password",
        "slipway",
        "slipway_owner",
        "slipway_app",
        "changeme",
        "change-me",
        "admin",
        "root",
        "secret",
    )
)


def boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "1", "false", "0"):
        raise ValueError("must be true or false")
    return lowered in ("true", "1")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text.lower()

    return parse


def comma_separated(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def network(text: str) -> str:
    """An address or a network of a proxy ("10.0.0.0/8"), or "*" for any, which production refuses."""
    if text == "*":
        return text
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(f"must list addresses or networks such as 10.0.0.0/8; {text!r} is neither") from None


def origin(text: str) -> str:
    """Scheme, host and port without a trailing slash: every absolute link begins with it."""
    message = "must be an address without a path, such as https://app.example.com"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(message) from None
    is_plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain or " " in text:
        raise ValueError(message)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def email_sender(text: str) -> str:
    address = parseaddr(text)[1]
    name, at, domain = address.rpartition("@")
    if not (name and at and domain) or "\n" in text or "\r" in text:
        raise ValueError("must be an e-mail address, with a name if you like: Slipway <hello@example.com>")
    return text


def email_domains(text: str) -> tuple[str, ...]:
    """Domains of e-mail addresses, in ASCII and lower case as `EmailAddress` writes them."""
    found = tuple(part.removeprefix("@").encode("idna").decode("ascii").lower() for part in comma_separated(text))
    if any("." not in domain or "@" in domain or " " in domain for domain in found):
        raise ValueError("must list domains such as example.com, separated by commas")
    return found


def postgresql_url(text: str) -> str:
    """The address for SQLAlchemy with asyncpg, whichever of the usual spellings was given."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("is not an address: write postgresql://user:password@host:5432/database") from None
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://, because Slipway runs on PostgreSQL alone")
    if not url.database:
        raise ValueError("must end with the name of a database: postgresql://user:password@host:5432/database")
    return url.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def redis_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("is not an address: write redis://:password@host:6379/0, or rediss:// for TLS")
    return text


def generated_secret(path: Path) -> str:
    """The secret kept in `path`, made on first use, so that restarting a development server logs nobody out."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(48))
    return path.read_text("utf-8").strip()


def _write_once(path: Path, content: str) -> None:
    """Write a private file at once and whole; of two processes that start together the first one wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def production_problems(settings: Settings) -> list[str]:
    """Every reason why these settings would be unsafe, or could not work, in production."""
    return [
        *_secret_problems(settings),
        *_exposure_problems(settings),
        *_database_problems(settings),
        *_email_problems(settings),
    ]


def sign_up_problems(settings: Settings) -> list[str]:
    """Sign-up modes that could let nobody in."""
    if settings.sign_up == "domains" and not settings.sign_up_domains:
        return ["SIGN_UP_DOMAINS is missing: SIGN_UP=domains lets nobody in without it. Name them: example.com."]
    return []


def _secret_problems(settings: Settings) -> Iterator[str]:
    if not settings.secret_key:
        yield f"SECRET_KEY is missing. Make one with: {NEW_SECRET}"
    elif weakness := secret_weakness(str(settings.secret_key)):
        yield f"SECRET_KEY {weakness}. Make a new one with: {NEW_SECRET}"
    for fallback in settings.secret_key_fallbacks:
        if weakness := secret_weakness(str(fallback)):
            yield f"SECRET_KEY_FALLBACKS has a secret that {weakness}. Remove it."


def secret_weakness(secret: str) -> str | None:
    """Why the secret could be guessed, or None. It cannot prove randomness; it catches what people type or copy."""
    if any(word in secret.lower() for word in GUESSABLE_WORDS):
        return "is an example or contains a guessable word"
    if len(secret.encode()) < SHORTEST_SECRET:
        return f"is shorter than {SHORTEST_SECRET} characters, which 32 random bytes need"
    if " " in secret or _entropy(secret) < LEAST_ENTROPY or _is_a_sequence(secret):
        return "is not random: it is made of words, or its characters repeat or follow a pattern"
    return None


def _entropy(secret: str) -> float:
    """Bits, by the frequencies of the secret's own characters; repeated copies of one part count once."""
    period = (secret + secret).find(secret, 1)
    unit = secret[:period]
    counts = Counter(unit)
    return -sum(count * math.log2(count / len(unit)) for count in counts.values())


def _is_a_sequence(secret: str) -> bool:
    """True for abcdef… and 1122334…: half of the neighbours are alike or follow each other in the alphabet."""
    near = sum(1 for left, right in itertools.pairwise(secret) if abs(ord(left) - ord(right)) <= 1)
    return near * 2 > len(secret)


def _exposure_problems(settings: Settings) -> Iterator[str]:
    if settings.debug:
        yield "DEBUG must be off in production: its error pages show the program's code and values."
    if not settings.base_url:
        yield "BASE_URL is missing: e-mails link to it. Set it to the public address, such as https://app.example.com."
    elif not settings.uses_https:
        yield "BASE_URL must begin with https:// in production: cookies and links would travel in the clear."
    if any("*" in host and not host.startswith("*.") for host in settings.allowed_hosts):
        yield "ALLOWED_HOSTS must not be '*' in production: name the hosts, such as app.example.com or *.example.com."
    if any(_is_everyone(proxy) for proxy in settings.trusted_proxies):
        yield "TRUSTED_PROXIES must not be '*' in production: anyone could pretend to come from any address."
    if settings.password_memory < DEFAULT_PASSWORD_MEMORY:
        yield f"PASSWORD_MEMORY must be at least {DEFAULT_PASSWORD_MEMORY} in production: stolen hashes would be guessed."
    if settings.token_scanner_url.startswith("http://"):
        yield "TOKEN_SCANNER_URL must begin with https:// in production: others could send keys of theirs, and revoke tokens."


def _is_everyone(proxy: str) -> bool:
    return proxy == "*" or proxy.endswith("/0")


def _database_problems(settings: Settings) -> Iterator[str]:
    if not settings.database_url:
        yield "DATABASE_URL is missing: production uses a PostgreSQL that you run, never the embedded one."
    for name, url in (("DATABASE_URL", settings.database_url), ("DATABASE_OWNER_URL", settings.database_owner_url)):
        if url and has_guessable_password(url):
            yield f"{name} has a default password. Give the role a random one."


def has_guessable_password(url: str) -> bool:
    parts = make_url(url)
    password = str(parts.password) if parts.password is not None else None
    return password is not None and (password.lower() in GUESSABLE_PASSWORDS or password in ("", parts.username))


def _email_problems(settings: Settings) -> Iterator[str]:
    if not settings.email_from:
        yield "EMAIL_FROM is missing: name the sender of the product's e-mails, such as Slipway <hello@example.com>."

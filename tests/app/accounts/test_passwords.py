"""Hashing off the event loop, and which passwords are refused."""

import gzip
import io
import json
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from argon2 import PasswordHasher

from app.accounts import common_passwords_update, passwords
from app.accounts.common_passwords import is_listed
from app.accounts.passwords import TOO_COMMON, TOO_LONG, TOO_PERSONAL, TOO_SHORT, weakness
from app.config import Settings
from app.config_rules import DEFAULT_PASSWORD_MEMORY

CONTEXT = ("Grace Hopper", "grace.hopper@navy.example", "Slipway")


@pytest.fixture(autouse=True)
def usual_memory(settings: Settings) -> Iterator[None]:
    """Hashes as in production, which the rest of the suite does without."""
    passwords.use_memory(DEFAULT_PASSWORD_MEMORY)
    yield
    passwords.use_memory(settings.password_memory)


@pytest.mark.requirement("PWD-3")
@pytest.mark.parametrize(
    "password",
    [
        "three boats on the river",
        "correct horse battery staple",
        "tK9#vLp2@qWz",
        "x" + "é" * 509 + " ok",
        "пароль с четырьмя лодками",
        "🚢⚓🌊🪝🧭⛵🛟🦀🐚🌬️🗺️🔭",
        "graceful swans at six",
        "a1!b2@c3#d4$e5",
        "Tr0ub4dor&3 and more",
        "2026-my-lighthouse-keeper",
    ],
)
def test_unpredictable_passwords_are_welcome_whatever_they_are_made_of(password: str) -> None:
    assert weakness(password, CONTEXT) is None


@pytest.mark.requirement("PWD-4")
@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password1234!",
        "P@ssw0rd2026!",
        "iloveyou!!!!",
        "qwertyuiop123",
        "QWERTYUIOPAS",
        "1q2w3e4r5t6y",
        "123456789012",
        "987654321098",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "abababababab",
        "abcabcabcabc",
        "letmeinletmein",
        "1qaz2wsx3edc",
        "Sunshine2024!!",
        "administrator1",
        "administrator1administrator1",
        "l3tm31n!!2024",
        "$unshine2024",
        "dragon20242024",
        "johnny19841984",
        "!!!password!!!!!!!!!",
        "passwordqwerty",
        "qwerty123456asdf",
        "zaq!2wsx#edc",
        "qwertzuiop12",
        "Willkommen2026",
        "bhrh0h2oof6xbqjeh",  # The list's rarest words have nothing about them that a rule could see.
    ],
)
def test_passwords_that_attackers_try_first_are_refused(password: str) -> None:
    assert weakness(password, CONTEXT) == TOO_COMMON


@pytest.mark.requirement("PWD-4")
@pytest.mark.parametrize(
    "password",
    [
        "Grace Hopper 1",
        "gracehopper42",
        "Gr4ceH0pper!!",
        "grace.hopper@navy.example",
        "HopperHopper1",
        "Slipway-2026!",
    ],
)
def test_passwords_made_of_what_is_known_about_a_person_are_refused(password: str) -> None:
    assert weakness(password, CONTEXT) == TOO_PERSONAL


@pytest.mark.requirement("PWD-4")
def test_what_is_not_listed_is_told_from_its_neighbours_in_the_list() -> None:
    assert is_listed("sunshine")
    assert not is_listed("sunshinf")
    assert not is_listed("")
    assert not is_listed("x" * 500)


def test_the_list_is_made_of_its_sources_without_what_stands_around_the_words(tmp_path: Path) -> None:
    zxcvbn, django, made = tmp_path / "zxcvbn.tgz", tmp_path / "django.whl", tmp_path / "made.gz"
    with tarfile.open(zxcvbn, "w:gz") as archive:
        content = json.dumps(["Lantern1984!", "abc"]).encode()
        member = tarfile.TarInfo("package/src/passwords.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with zipfile.ZipFile(django, "w") as wheel:
        wheel.writestr("django/contrib/auth/common-passwords.txt.gz", gzip.compress(b"harbour\n"))

    common_passwords_update.write_list(zxcvbn, django, made)

    words = gzip.decompress(made.read_bytes()).decode().split()
    assert {"lantern1984!", "lantern", "harbour", "willkommen"} <= set(words)
    assert "abc" not in words


@pytest.mark.requirement("PWD-3")
@pytest.mark.parametrize(
    ("password", "answer"),
    [
        ("kV9#mQ2$xL7", TOO_SHORT),
        ("kV9#mQ2$xL7p", None),
        ("k" + "Vw9m#" * 14 + "!", None),  # 72 bytes, and 73: bcrypt would cut here.
        ("k" + "Vw9m#" * 14 + "!?", None),
        ("kVw9" * 3 + "…" * 337 + "!", None),  # 1,024 bytes
        ("kVw9" * 3 + "…" * 337 + "!!", TOO_LONG),
    ],
)
def test_the_limits_of_length(password: str, answer: str | None) -> None:
    assert weakness(password) == answer


@pytest.mark.requirement("PWD-3")
@pytest.mark.parametrize("length", [12, 72, 73, 1024])
async def test_every_byte_of_a_password_counts(length: int) -> None:
    password = "ab" * (length // 2) + "c" * (length % 2)
    hashed = await passwords.hash_password(password)

    assert await passwords.matches(password, hashed)
    assert not await passwords.matches(password[:-1], hashed)
    assert not await passwords.matches(password + " ", hashed)
    assert not await passwords.matches(password.swapcase(), hashed)


async def test_nobody_matches_where_there_is_no_hash_or_a_broken_one() -> None:
    assert not await passwords.matches("three boats on the river", None)
    assert not await passwords.matches("three boats on the river", "no hash")


@pytest.mark.requirement("AUT-2")
async def test_a_missing_account_costs_as_much_as_a_wrong_password() -> None:
    hashed = await passwords.hash_password("three boats on the river")
    await passwords.matches("warm up", None)
    known: list[float] = []
    unknown: list[float] = []
    for _ in range(12):
        for times, target in ((known, hashed), (unknown, None)):
            began = time.perf_counter()
            await passwords.matches("seven lamps by the harbour", target)
            times.append(time.perf_counter() - began)
    assert 0.5 < sorted(known)[3] / sorted(unknown)[3] < 2


@pytest.mark.requirement("PWD-1")
def test_weaker_parameters_are_noticed() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("three boats on the river")

    assert passwords.is_outdated(weak)


@pytest.mark.requirement("PWD-2")
def test_who_finds_the_queue_full_is_told_when_to_come_back() -> None:
    refusal = passwords.TooManyPasswords()

    assert refusal.status_code == 503
    assert refusal.headers is not None
    assert int(refusal.headers["Retry-After"]) > 0


@pytest.mark.requirement("PWD-2")
async def test_a_burst_is_refused_beyond_a_short_queue_and_the_event_loop_stays_free() -> None:
    outcomes: list[bool] = []
    slowest = 0.0

    async def attempt() -> None:
        try:
            await passwords.matches("three boats on the river", None)
            outcomes.append(True)
        except passwords.TooManyPasswords:
            outcomes.append(False)

    async with anyio.create_task_group() as group:
        for _ in range(1000):
            group.start_soon(attempt)
        for _ in range(20):
            began = time.perf_counter()
            await to_thread.run_sync(lambda: None)
            slowest = max(slowest, time.perf_counter() - began)
    assert 0 < outcomes.count(True) < 500
    assert outcomes.count(False) > 500
    assert slowest < 0.5
    assert not await passwords.matches("the queue is open again", None)

"""Tokens that were published: a secret scanner reports them, they are revoked, and their owners are told."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import Response
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from app.config import Settings
from app.inbound import LARGEST_WEBHOOK
from app.tokens.leaks import ASKED_AGAIN_AFTER, KEPT, KeysUnknown, ScannerKeys
from app.tokens.spelling import new_secret
from core.testclient import AsyncTestClient
from tests.app.accounts.answering import answering_server
from tests.app.accounts.people import add_person, newest_message, templates_sent, visitor
from tests.app.tokens.making import add_token, bearer
from tests.app.two_factor.holding import recorded
from tests.databases import RolledBackDatabase

PATH = "/hooks/tokens/leaked"
PLACE = "https://github.com/ada/engine/blob/main/deploy.sh"
KEY = generate_private_key(SECP256R1())


def published(**keys: EllipticCurvePrivateKey) -> str:
    """What GitHub says of its keys."""
    rows = [
        {
            "key_identifier": name,
            "key": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "is_current": True,
        }
        for name, key in keys.items()
    ]
    return json.dumps({"public_keys": rows})


@pytest.fixture
async def client(settings: Settings, database: RolledBackDatabase) -> AsyncIterator[AsyncTestClient]:
    """A client of an installation that believes the keys of a server of this test."""
    async with (
        answering_server(published(known=KEY)) as (url, _),
        visitor(settings, database, token_scanner_url=url) as client,
    ):
        yield client


async def report(
    client: AsyncTestClient, body: bytes, *, key: EllipticCurvePrivateKey = KEY, name: str = "known"
) -> Response:
    signature = base64.b64encode(key.sign(body, ECDSA(SHA256()))).decode()
    headers = {"github-public-key-identifier": name, "github-public-key-signature": signature}
    return await client.post(PATH, content=body, headers=headers)


def body_of(*secrets: str) -> bytes:
    leaks = [{"token": secret, "type": "slipway_pat", "url": PLACE, "source": "content"} for secret in secrets]
    return json.dumps(leaks).encode()


def hash_of(secret: str) -> str:
    return base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()


@pytest.mark.requirement("API-6", "AUT-7")
async def test_a_published_token_is_revoked_and_its_owner_told_where_it_was(
    client: AsyncTestClient, settings: Settings, db: AsyncSession
) -> None:
    user = await add_person(db)
    _, secret = await add_token(db, settings, user)
    _, other = await add_token(db, settings, user, name="Other")
    made_up = new_secret()
    answer = await report(client, body_of(secret, made_up, "no token at all"))

    assert answer.status_code == 200
    assert [(row["token_hash"], row["label"]) for row in answer.json()] == [
        (hash_of(secret), "true_positive"),
        (hash_of(made_up), "false_positive"),
        (hash_of("no token at all"), "false_positive"),
    ]
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 401
    assert (await client.get("/api/v1/me", headers=bearer(other))).status_code == 200
    message = await newest_message(db)
    assert message.template == "tokens/token_leaked"
    assert PLACE in message.text
    assert secret not in message.text + message.html
    assert "tokens.leaked" in await recorded(db)

    again = await report(client, body_of(secret))
    assert again.json()[0]["label"] == "true_positive"
    assert [name for name, _ in await templates_sent(db)].count("tokens/token_leaked") == 1


@pytest.mark.requirement("API-6", "WHI-1")
async def test_reports_that_the_scanner_has_not_signed_are_refused(
    client: AsyncTestClient, settings: Settings, db: AsyncSession
) -> None:
    user = await add_person(db)
    _, secret = await add_token(db, settings, user)
    body = body_of(secret)
    stranger = generate_private_key(SECP256R1())
    refused = [
        await client.post(PATH, content=body),
        await report(client, body, key=stranger),
        await report(client, body, key=stranger, name="stranger"),
        await client.post(PATH, content=body, headers={"github-public-key-identifier": "known"}),
        await report(client, b"no json"),
        await report(client, b'{"token": "x"}'),
        await report(client, b'[{"token": 7}]'),
    ]
    assert {answer.status_code for answer in refused} == {400}
    assert (await report(client, b"x" * (LARGEST_WEBHOOK + 1))).status_code == 413
    assert (await client.get("/api/v1/me", headers=bearer(secret))).status_code == 200


@pytest.mark.requirement("REL-8")
async def test_while_the_keys_cannot_be_had_the_scanner_is_asked_to_come_back(
    settings: Settings, database: RolledBackDatabase
) -> None:
    async with (
        answering_server("", status="500 Broken") as (url, _),
        visitor(settings, database, token_scanner_url=url) as client,
    ):
        answer = await report(client, body_of(new_secret()))
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_keys_are_asked_for_once_an_hour_and_for_a_new_one_once_a_minute() -> None:
    now = [0.0]
    async with answering_server(published(known=KEY)) as (url, asked):
        keys = ScannerKeys(url, clock=lambda: now[0])
        for moment, name, times in (
            (0, "known", 1),
            (KEPT, "known", 1),
            (KEPT, "new", 2),
            (KEPT + ASKED_AGAIN_AFTER, "new", 2),
            (KEPT + ASKED_AGAIN_AFTER + 1, "new", 3),
        ):
            now[0] = moment
            assert (await keys.find(name) is None) is (name == "new")
            assert len(asked) == times, moment


async def test_keys_that_were_had_once_serve_while_there_are_no_newer_ones() -> None:
    now = [0.0]
    async with answering_server(published(known=KEY)) as (url, _):
        keys = ScannerKeys(url, clock=lambda: now[0])
        assert await keys.find("known")
    now[0] = KEPT + 1.0
    with capture_logs() as logged:
        assert await keys.find("known")
    assert [entry["event"] for entry in logged] == ["tokens.scanner_keys_failed"]
    with pytest.raises(KeysUnknown), capture_logs():
        await ScannerKeys("http://127.0.0.1:1").find("known")

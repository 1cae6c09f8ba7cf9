"""What a provider may answer, and what we believe of it. The provider is a real server that lies as it is told."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.config_providers import GITHUB, LogInProvider
from app.connections import github
from app.connections.client import Client, Return
from app.connections.metadata import ASKED_AGAIN_AFTER, KEPT, Metadata
from app.connections.person import Person, person_of
from app.connections.problems import ProofRefused, ProviderFailed
from app.connections.states import Departure
from core.datastructures import Secret
from tests.app.connections.forger import CLIENT_ID, CURVE_KEY, KEY, NONCE, OTHER_KEY, Forger, forger

CALLBACK = "https://slipway.test/oauth/openid/callback"
SECRET = "the secret: of/us"


def provider(issuer: str, key: str = "openid") -> LogInProvider:
    return LogInProvider(key=key, name="Other", issuer=issuer, client_id=CLIENT_ID, client_secret=Secret(SECRET))


@pytest.fixture
async def liar() -> AsyncIterator[Forger]:
    async with forger() as found:
        yield found


@pytest.fixture
def client(liar: Forger) -> Client:
    return Client(provider(liar.url), CALLBACK, deadline=5)


async def ask(client: Client, issuer: str | None = None) -> Person:
    return await client.person(Return("code", issuer), code_verifier="verifier", nonce=NONCE)


@pytest.mark.requirement("OAU-2")
async def test_a_good_answer_tells_who_it_is_by_issuer_and_subject(client: Client, liar: Forger) -> None:
    person = await ask(client)

    assert (person.issuer, person.subject) == (liar.url, "248289761001")
    assert (person.proved_email, person.name) == ("ada@example.com", "Ada Lovelace")


@pytest.mark.requirement("OAU-1")
async def test_the_code_is_given_with_the_verifier_our_address_and_our_secret(client: Client, liar: Forger) -> None:
    await ask(client)

    [(_, headers, form)] = [each for each in liar.asked if each[0] == "/token"]
    assert form == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": CALLBACK,
        "code_verifier": "verifier",
    }
    scheme, _, encoded = headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"slipway:the%20secret%3A%20of%2Fus")


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(client: Client, liar: Forger) -> None:
    liar.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await ask(client)

    [(_, headers, form)] = [each for each in liar.asked if each[0] == "/token"]
    assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, SECRET)
    assert "authorization" not in headers


def unsigned(claims: dict[str, Any], header: dict[str, Any], key: bytes = b"") -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{part(header)}.{part(claims)}"
    signature = hmac.digest(key, text.encode(), hashlib.sha256) if key else b""
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 7])
async def test_a_token_without_a_signature_is_refused(client: Client, liar: Forger, alg: Any) -> None:
    liar.id_token = unsigned(liar.claims(), {"alg": alg})

    with pytest.raises(ProofRefused):
        await ask(client)


@pytest.mark.requirement("OAU-1")
async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(client: Client, liar: Forger) -> None:
    """Algorithm confusion: the public key is known to everybody, so HMAC with it proves nothing."""
    for secret in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode(), SECRET.encode()):
        liar.id_token = unsigned(liar.claims(), {"alg": "HS256", "kid": "current"}, secret)
        with pytest.raises(ProofRefused, match="does not use"):
            await ask(client)


@pytest.mark.requirement("OAU-1")
async def test_a_token_signed_by_another_key_is_refused(client: Client, liar: Forger) -> None:
    header = {"alg": "RS256", "kid": "current"}
    liar.id_token = jwt.encode(header, liar.claims(), OTHER_KEY, algorithms=["RS256"])
    with pytest.raises(ProofRefused, match="signature"):
        await ask(client)
    # The key in the token's own header is nobody's.
    with_key = header | {"jwk": OTHER_KEY.as_dict(private=False)}
    liar.id_token = jwt.encode(with_key, liar.claims(), OTHER_KEY, algorithms=["RS256"])
    with pytest.raises(ProofRefused, match="signature"):
        await ask(client)


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody else"},
        {"aud": ["somebody else"]},
        {"aud": []},
        {"aud": None},
        {"aud": [CLIENT_ID, "somebody else"]},
        {"azp": "somebody else"},
        {"iss": "https://elsewhere.test"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 99999999999},
        {"nbf": 99999999999},
        {"nbf": "later"},
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"nonce": 7},
        {"sub": ""},
        {"sub": None},
        {"sub": 248289761001},
        {"sub": "x" * 256},
        {"sub": "a\0b"},
    ],
)
async def test_a_token_for_somebody_else_or_another_time_is_refused(
    client: Client, liar: Forger, changes: dict[str, Any]
) -> None:
    liar.id_token = liar.sign(**changes)

    with pytest.raises(ProofRefused):
        await ask(client)


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.", "x" * 100_000, "ä.ö.ü"])
async def test_what_is_no_token_is_refused(client: Client, liar: Forger, token: str) -> None:
    liar.id_token = token

    with pytest.raises(ProofRefused):
        await ask(client)


async def test_a_changed_payload_is_refused(client: Client, liar: Forger) -> None:
    head, _, signature = liar.sign().split(".")
    _, payload, _ = liar.sign(sub="somebody else").split(".")
    liar.id_token = f"{head}.{payload}.{signature}"

    with pytest.raises(ProofRefused):
        await ask(client)


@pytest.mark.requirement("OAU-1")
async def test_an_answer_that_names_another_issuer_is_refused(client: Client, liar: Forger) -> None:
    await ask(client, issuer=liar.url)
    with pytest.raises(ProofRefused):
        await ask(client, issuer="https://elsewhere.test")
    assert len([path for path, _, _ in liar.asked if path == "/token"]) == 1


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_the_token_endpoint_is_not_followed(client: Client, liar: Forger, status: int) -> None:
    liar.answers["/token"] = lambda liar: (status, [f"location: {liar.url}/thief"], b"{}")

    with pytest.raises(ProviderFailed):
        await ask(client)
    assert "/thief" not in [path for path, _, _ in liar.asked]


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
async def test_an_answer_without_an_end_is_given_up(liar: Forger, path: str) -> None:
    liar.answers[path] = lambda liar: (200, ["x-trickle: yes"], b" " * 100_000)
    client = Client(provider(liar.url), CALLBACK, deadline=0.5)

    async with asyncio.timeout(3):
        with pytest.raises(ProviderFailed, match="No answer within"):
            await ask(client)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize(
    "answer",
    [
        (200, [], b"x" * 300_000),
        (200, ["content-encoding: gzip"], b"\x1f\x8b"),
        (200, [], b"[]"),
        (200, [], b"{"),
        (200, [], b"[" * 100_000),
        (500, [], b"{}"),
        (404, [], b"not here"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_failure_and_no_crash(
    client: Client, liar: Forger, path: str, answer: tuple[int, list[str], bytes]
) -> None:
    liar.answers[path] = lambda liar: answer

    with pytest.raises(ProviderFailed):
        await ask(client)


async def test_a_provider_that_is_down_is_a_failure() -> None:
    with pytest.raises(ProviderFailed):
        await ask(Client(provider("http://127.0.0.1:9"), CALLBACK, deadline=1))


@pytest.mark.requirement("OAU-1")
@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.test"},
        {"issuer": None},
        {"token_endpoint": "http://elsewhere.test/token"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 7},
    ],
)
async def test_a_document_of_another_issuer_or_with_unsafe_addresses_is_refused(
    client: Client, liar: Forger, metadata: dict[str, Any]
) -> None:
    liar.metadata = metadata

    with pytest.raises(ProviderFailed):
        await ask(client)


async def test_metadata_and_keys_are_asked_for_once_an_hour_and_again_for_a_new_key(liar: Forger) -> None:
    now = [0.0]
    client = Client(provider(liar.url), CALLBACK, deadline=5)
    client.issuer._clock = lambda: now[0]

    def count(path: str) -> int:
        return len([each for each in liar.asked if each[0] == path])

    await ask(client)
    await ask(client)
    assert (count("/keys"), count("/.well-known/openid-configuration")) == (1, 1)

    liar.keys = [*liar.keys, CURVE_KEY.as_dict(private=False)]
    liar.id_token = jwt.encode({"alg": "ES256", "kid": "curve"}, liar.claims(), CURVE_KEY, algorithms=["ES256"])
    with pytest.raises(ProofRefused):
        await ask(client)
    assert count("/keys") == 1, "made-up keys do not make us ask all the time"
    now[0] += ASKED_AGAIN_AFTER + 1
    assert (await ask(client)).subject
    assert count("/keys") == 2
    now[0] += KEPT + 1
    await ask(client)
    assert (count("/keys"), count("/.well-known/openid-configuration")) == (3, 2)


async def test_keys_that_we_cannot_read_do_not_hide_those_that_we_can(client: Client, liar: Forger) -> None:
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "current", "use": "sig"}
    encryption = RSAKey.generate_key(2048, {"use": "enc", "kid": "current"}).as_dict(private=False)
    liar.keys = [secret, encryption, {"kty": "AKP"}, *liar.keys]

    assert (await ask(client)).subject


@pytest.mark.requirement("OAU-2")
@pytest.mark.parametrize(
    ("claims", "is_verified"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": "true"}, True),
        ({"email_verified": False}, False),
        ({"email_verified": "false"}, False),
        ({"email_verified": 2}, False),
        ({"email_verified": ["true"]}, False),
        ({}, False),
    ],
)
def test_an_address_counts_if_the_provider_says_so(claims: dict[str, Any], is_verified: bool) -> None:
    found = person_of({"iss": "i", "sub": "s", "email": "Ada@EXAMPLE.com", **claims}, provider("https://issuer.test"))

    assert found.proved_email == ("Ada@example.com" if is_verified else "")


@pytest.mark.requirement("OAU-3")
@pytest.mark.parametrize(
    ("claims", "is_verified"),
    [
        ({"email_verified": True, "tid": "4f6d1c1e-0000-4000-8000-000000000001"}, False),
        ({"xms_edov": True, "tid": "4f6d1c1e-0000-4000-8000-000000000001"}, True),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": 0}, False),
        ({"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, True),
    ],
)
def test_microsoft_lets_administrators_write_any_address_so_only_proved_domains_count(
    claims: dict[str, Any], is_verified: bool
) -> None:
    found = person_of({"iss": "i", "sub": "s", "email": "ada@example.com", **claims}, provider("x", "microsoft"))

    assert found.is_email_verified is is_verified


@pytest.mark.parametrize(
    ("claims", "name", "email"),
    [
        ({"name": "  Ada  "}, "Ada", ""),
        ({"email": "ada@example.com"}, "ada", "ada@example.com"),
        ({"name": 7, "email": ["ada@example.com"]}, "?", ""),
        ({"name": "a\0b", "email": "not an address"}, "?", ""),
        ({"name": "x" * 300}, "x" * 100, ""),
    ],
)
def test_names_and_addresses_are_taken_as_our_own_forms_would(claims: dict[str, Any], name: str, email: str) -> None:
    found = person_of({"iss": "i", "sub": "s", **claims}, provider("https://issuer.test"))

    assert (found.name, found.email) == (name, email)


def test_the_document_of_microsofts_shared_tenant_is_known_by_its_placeholder() -> None:
    shared = "https://login.microsoftonline.com/common/v2.0"
    document = {
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
        "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "jwks_uri": "https://login.microsoftonline.com/common/discovery/v2.0/keys",
    }

    assert "{tenantid}" in Metadata.of(document, expected=shared).issuer
    with pytest.raises(ProviderFailed):
        Metadata.of(document, expected="https://login.microsoftonline.com/4f6d1c1e-0000-4000-8000-000000000001/v2.0")


async def test_github_is_asked_who_it_is_and_the_number_counts_not_the_login(liar: Forger) -> None:
    user = {"id": 583231, "login": "octocat", "name": None}
    emails = [
        {"email": "old@example.com", "primary": False, "verified": True},
        {"email": "octocat@example.com", "primary": True, "verified": True},
    ]
    liar.answers["/user"] = lambda liar: (200, [], json.dumps(user).encode())
    liar.answers["/user/emails"] = lambda liar: (200, [], json.dumps(emails).encode())
    person = await github.fetch_person("token", 5, api=liar.url)

    assert (person.issuer, person.subject, person.name) == (GITHUB, "583231", "octocat")
    assert person.proved_email == "octocat@example.com"
    assert {headers["authorization"] for _, headers, _ in liar.asked} == {"Bearer token"}


@pytest.mark.parametrize(
    ("user", "emails"),
    [
        ({}, []),
        ({"id": "583231"}, []),
        ({"id": True}, []),
        ([], []),
        ({"id": 1}, {"message": "Not found"}),
    ],
)
async def test_github_may_answer_anything(liar: Forger, user: Any, emails: Any) -> None:
    liar.answers["/user"] = lambda liar: (200, [], json.dumps(user).encode())
    liar.answers["/user/emails"] = lambda liar: (200, [], json.dumps(emails).encode())

    try:
        person = await github.fetch_person("token", 5, api=liar.url)
    except ProviderFailed:
        return
    assert (person.subject, person.proved_email) == ("1", "")


async def test_github_gets_no_nonce_but_a_code_challenge() -> None:
    address = await Client(provider(GITHUB, "github"), CALLBACK).address(Departure("state", "nonce", "challenge"))

    assert address.startswith("https://github.com/login/oauth/authorize?")
    assert "code_challenge=challenge" in address
    assert "nonce" not in address

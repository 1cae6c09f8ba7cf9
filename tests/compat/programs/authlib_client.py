"""Authlib's client on core: a person logs in at a provider with OpenID Connect. The provider is an application of core too."""

import base64
import hashlib
import secrets
import time
from urllib.parse import urlencode

import httpx2
import pytest
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, SimpleUser
from starlette.config import Config
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

PROVIDER, CLIENT = "https://provider.test", "https://client.test"
KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})


class ClientPassword(AuthenticationBackend):
    """The provider's clients send their id and secret with HTTP Basic (RFC 6749, section 2.3.1)."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        given = conn.headers.get("authorization", "")
        if not given.startswith("Basic "):
            return None
        name, _, password = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        if not secrets.compare_digest(password, "the client's secret"):
            raise AuthenticationError("invalid_client")
        return AuthCredentials(["client"]), SimpleUser(name)


class Provider:
    """An OpenID provider with one person, who always agrees."""

    def __init__(self) -> None:
        self.granted: dict[str, dict[str, str]] = {}
        routes = [
            Route("/.well-known/openid-configuration", self.describe),
            Route("/keys", self.show_keys),
            Route("/authorize", self.authorize),
            Route("/token", self.issue_token, methods=["POST"]),
            Route("/me", self.show_person),
        ]
        middleware = [Middleware(AuthenticationMiddleware, backend=ClientPassword())]
        self.app = Starlette(routes=routes, middleware=middleware)

    async def describe(self, request: Request) -> Response:
        addresses = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "userinfo_endpoint": "me",
            "jwks_uri": "keys",
        }
        return JSONResponse({"issuer": PROVIDER, **{name: f"{PROVIDER}/{path}" for name, path in addresses.items()}})

    async def show_keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        code = secrets.token_hex(8)
        self.granted[code] = dict(request.query_params)
        query = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{query}", status_code=303)

    async def issue_token(self, request: Request) -> Response:
        form = await request.form()
        asked = self.granted.pop(str(form["code"]), None)
        if asked is None or asked["code_challenge"] != challenge_of(str(form["code_verifier"])):
            return JSONResponse(
                {"error": "invalid_grant", "error_description": "Nobody granted that."}, status_code=400
            )
        token = {"access_token": "access", "token_type": "Bearer", "expires_in": 3600}
        return JSONResponse({**token, "id_token": identity(request.user.display_name, asked["nonce"])})

    async def show_person(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer access"
        return JSONResponse({"sub": "7", "email": "ada@example.com"})


def challenge_of(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def identity(audience: str, nonce: str) -> str:
    now = int(time.time())
    claims = {"iss": PROVIDER, "sub": "7", "aud": audience, "iat": now, "exp": now + 60, "nonce": nonce}
    return jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, "email": "ada@example.com"}, KEY)


def application_of(provider: Provider) -> Starlette:
    """An application whose people log in at the provider."""
    oauth = OAuth(Config(environ={"HARBOUR_CLIENT_ID": "boats", "HARBOUR_CLIENT_SECRET": "the client's secret"}))
    oauth.register(
        "harbour",
        server_metadata_url=f"{PROVIDER}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "transport": httpx2.ASGITransport(provider.app),
        },
    )

    async def log_in(request: Request) -> Response:
        answer: Response = await oauth.harbour.authorize_redirect(request, request.url_for("welcome"))
        return answer

    async def welcome(request: Request) -> Response:
        try:
            token = await oauth.harbour.authorize_access_token(request)
        except OAuthError as error:
            return PlainTextResponse(error.error, status_code=400)
        person = await oauth.harbour.userinfo(token=token)
        return JSONResponse({"claims": token["userinfo"], "person": person})

    routes = [Route("/log-in", log_in), Route("/welcome", welcome)]
    return Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="a secret of the check")])


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def client(provider: Provider) -> TestClient:
    return TestClient(application_of(provider), base_url=CLIENT, follow_redirects=False)


def return_from_provider(client: TestClient, provider: Provider) -> str:
    """Where the provider sends a person who has just asked to log in."""
    asking = client.get("/log-in").headers["location"]
    agreed = TestClient(provider.app, base_url=PROVIDER, follow_redirects=False).get(asking)
    return str(agreed.headers["location"])


def test_logging_in_leads_to_the_provider_with_what_it_needs(client: TestClient) -> None:
    response = client.get("/log-in")
    asked = httpx2.URL(response.headers["location"]).params

    assert response.status_code == 302
    assert asked["redirect_uri"] == f"{CLIENT}/welcome"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid email"
    assert asked["nonce"]


def test_a_person_comes_back_with_verified_claims(client: TestClient, provider: Provider) -> None:
    answer = client.get(return_from_provider(client, provider)).json()

    assert answer["claims"]["aud"] == "boats"
    assert answer["person"] == {"sub": "7", "email": "ada@example.com"}


def test_a_callback_that_nobody_asked_for_is_refused(client: TestClient) -> None:
    response = client.get("/welcome?code=stolen&state=guessed")

    assert (response.status_code, response.text) == (400, "mismatching_state")


def test_a_callback_works_once(client: TestClient, provider: Provider) -> None:
    location = return_from_provider(client, provider)
    client.get(location)

    assert client.get(location).status_code == 400


def test_a_code_of_somebody_else_is_refused(client: TestClient, provider: Provider) -> None:
    stranger = TestClient(application_of(provider), base_url=CLIENT, follow_redirects=False)
    stolen = httpx2.URL(return_from_provider(stranger, provider)).params["code"]
    own = httpx2.URL(return_from_provider(client, provider))

    assert client.get(own.copy_set_param("code", stolen)).text == "invalid_grant"

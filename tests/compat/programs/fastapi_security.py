"""FastAPI on core: its security schemes."""

import secrets
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    SecurityScopes,
)
from fastapi.testclient import TestClient

SCOPES = {"ada": ["me", "items"], "grace": ["me"]}

app = FastAPI()
oauth2 = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "Read about oneself.", "items": "Read items."})


@pytest.fixture
def client() -> TestClient:
    return TestClient(app)


@app.post("/token")
async def issue_token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    if not secrets.compare_digest(form.password, "secret"):
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": form.username, "token_type": "bearer"}


async def current_user(scopes: SecurityScopes, token: Annotated[str, Depends(oauth2)]) -> str:
    if not set(scopes.scopes) <= set(SCOPES.get(token, [])):
        challenge = f'Bearer scope="{scopes.scope_str}"'
        raise HTTPException(401, "Not enough permissions", headers={"WWW-Authenticate": challenge})
    return token


@app.get("/me")
async def read_me(user: Annotated[str, Security(current_user, scopes=["me"])]) -> str:
    return user


@app.get("/me/items")
async def read_items(user: Annotated[str, Security(current_user, scopes=["items"])]) -> str:
    return f"items of {user}"


def test_an_oauth2_password_flow(client: TestClient) -> None:
    granted = client.post("/token", data={"username": "ada", "password": "secret", "grant_type": "password"}).json()
    headers = {"authorization": f"Bearer {granted['access_token']}"}

    assert client.get("/me", headers=headers).json() == "ada"
    assert client.get("/me/items", headers=headers).json() == "items of ada"


def test_a_wrong_password_gets_no_token(client: TestClient) -> None:
    assert client.post("/token", data={"username": "ada", "password": "guess"}).status_code == 400


def test_a_token_without_the_scope_is_refused_with_a_challenge(client: TestClient) -> None:
    response = client.get("/me/items", headers={"authorization": "Bearer grace"})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer scope="items"'


def test_a_request_without_a_token_is_challenged(client: TestClient) -> None:
    response = client.get("/me")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


@app.get("/basic")
def read_basic(credentials: Annotated[HTTPBasicCredentials, Depends(HTTPBasic(realm="harbour"))]) -> list[str]:
    return [credentials.username, credentials.password]


def test_http_basic(client: TestClient) -> None:
    assert client.get("/basic", auth=("ada", "se:cret")).json() == ["ada", "se:cret"]
    assert client.get("/basic").headers["www-authenticate"] == 'Basic realm="harbour"'
    assert client.get("/basic", headers={"authorization": "Basic ???"}).status_code == 401


@app.get("/bearer")
def read_bearer(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    return f"{credentials.scheme} {credentials.credentials}"


def test_http_bearer(client: TestClient) -> None:
    assert client.get("/bearer", headers={"authorization": "Bearer abc"}).json() == "Bearer abc"
    assert client.get("/bearer", headers={"authorization": "Basic abc"}).status_code in (401, 403)


@app.get("/keys")
async def read_keys(
    header: Annotated[str | None, Security(APIKeyHeader(name="x-key", auto_error=False))],
    query: Annotated[str | None, Security(APIKeyQuery(name="key", auto_error=False))],
    cookie: Annotated[str | None, Security(APIKeyCookie(name="key", auto_error=False))],
) -> list[str | None]:
    return [header, query, cookie]


def test_api_keys_in_a_header_the_query_and_a_cookie(client: TestClient) -> None:
    assert client.get("/keys").json() == [None, None, None]
    client.cookies.set("key", "c")
    assert client.get("/keys?key=q", headers={"x-key": "h"}).json() == ["h", "q", "c"]


def test_the_document_names_the_schemes(client: TestClient) -> None:
    schemes = client.get("/openapi.json").json()["components"]["securitySchemes"]

    assert set(schemes) == {
        "OAuth2PasswordBearer",
        "HTTPBasic",
        "HTTPBearer",
        "APIKeyHeader",
        "APIKeyQuery",
        "APIKeyCookie",
    }

"""FastAPI on core: what a request brings, and how it is validated."""

import uuid
from enum import Enum
from typing import Annotated, Literal

import pytest
from fastapi import Body, Cookie, FastAPI, File, Form, Header, Path, Query, Request, UploadFile
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field, HttpUrl

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float = Field(gt=0)
    tags: set[str] = set()
    image: HttpUrl | None = None


class Owner(BaseModel):
    username: str
    full_name: str | None = None


class Filter(BaseModel):
    model_config = {"extra": "forbid"}

    limit: int = Field(100, gt=0, le=100)
    order_by: Literal["created_at", "updated_at"] = "created_at"


class Credentials(BaseModel):
    username: str
    password: str


class Model(str, Enum):  # noqa: UP042 (as FastAPI's tutorial has it)
    ALEXNET = "alexnet"
    RESNET = "resnet"


@pytest.fixture
def client() -> TestClient:
    return TestClient(app)


@app.get("/items/{item_id}")
async def read_item(
    item_id: Annotated[int, Path(ge=1)], q: str | None = None, short: bool = False
) -> dict[str, object]:
    return {"item_id": item_id, "q": q, "short": short}


def test_path_and_query_parameters_are_converted(client: TestClient) -> None:
    assert client.get("/items/3?q=sail&short=yes").json() == {"item_id": 3, "q": "sail", "short": True}


@pytest.mark.parametrize("address", ["/items/three", "/items/0", "/items/1?short=perhaps"])
def test_parameters_that_do_not_fit_are_refused(client: TestClient, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] in ("path", "query")


@app.get("/models/{name}")
async def read_model(name: Model) -> str:
    return name.name


def test_a_path_parameter_can_be_one_of_an_enumeration(client: TestClient) -> None:
    assert client.get("/models/resnet").json() == "RESNET"
    assert client.get("/models/lenet").status_code == 422


@app.get("/files/{path:path}")
async def read_file(path: str) -> str:
    return path


def test_a_path_parameter_can_hold_slashes(client: TestClient) -> None:
    assert client.get("/files/home/ada/list.txt").json() == "home/ada/list.txt"


@app.get("/voyages/{identifier}")
async def read_voyage(identifier: uuid.UUID) -> uuid.UUID:
    return identifier


def test_a_path_parameter_can_be_a_uuid(client: TestClient) -> None:
    assert client.get("/voyages/00000000-0000-0000-0000-000000000007").json().endswith("7")
    assert client.get("/voyages/7").status_code == 422


@app.get("/search")
async def search(
    q: Annotated[str, Query(min_length=3, pattern="^[a-z]+$", alias="item-query")],
    tag: Annotated[list[str], Query()] = [],  # noqa: B006 (FastAPI copies it)
) -> dict[str, object]:
    return {"q": q, "tags": tag}


def test_query_parameters_have_aliases_and_lists(client: TestClient) -> None:
    assert client.get("/search?item-query=sail&tag=a&tag=b").json() == {"q": "sail", "tags": ["a", "b"]}
    assert client.get("/search?item-query=S").status_code == 422


@app.get("/filtered")
async def list_filtered(filtering: Annotated[Filter, Query()]) -> Filter:
    return filtering


def test_query_parameters_can_be_a_model(client: TestClient) -> None:
    assert client.get("/filtered?limit=5").json() == {"limit": 5, "order_by": "created_at"}
    assert client.get("/filtered?unknown=5").json()["detail"][0]["type"] == "extra_forbidden"


@app.get("/carried")
async def read_carried(
    user_agent: Annotated[str, Header()],
    x_token: Annotated[list[str], Header()],
    session: Annotated[str | None, Cookie()] = None,
) -> dict[str, object]:
    return {"agent": user_agent, "tokens": x_token, "session": session}


def test_headers_and_cookies(client: TestClient) -> None:
    client.cookies.set("session", "abc")
    response = client.get("/carried", headers=[("x-token", "one"), ("x-token", "two"), ("user-agent", "check")])

    assert response.json() == {"agent": "check", "tokens": ["one", "two"], "session": "abc"}


@app.post("/items")
async def create_item(item: Item) -> Item:
    return item


def test_a_body_is_validated_and_given_back(client: TestClient) -> None:
    response = client.post("/items", json={"name": "Sail", "price": 35.4, "tags": ["a", "a"]})

    assert response.json() == {"name": "Sail", "price": 35.4, "tags": ["a"], "image": None}


def test_a_body_that_does_not_fit_is_refused_with_all_its_errors(client: TestClient) -> None:
    response = client.post("/items", json={"price": -1, "image": "no address"})

    assert response.status_code == 422
    assert [error["loc"] for error in response.json()["detail"]] == [
        ["body", "name"],
        ["body", "price"],
        ["body", "image"],
    ]


def test_a_body_that_is_no_json_is_refused(client: TestClient) -> None:
    response = client.post("/items", content="{", headers={"content-type": "application/json"})

    assert response.status_code == 422
    assert response.json()["detail"][0]["type"] == "json_invalid"


@app.put("/items/{item_id}")
async def update_item(
    item_id: int, item: Annotated[Item, Body(embed=True)], owner: Owner, importance: Annotated[int, Body()]
) -> dict[str, object]:
    return {"id": item_id, "item": item.name, "owner": owner.username, "importance": importance}


def test_a_body_of_several_models(client: TestClient) -> None:
    body = {"item": {"name": "Sail", "price": 1}, "owner": {"username": "ada"}, "importance": 5}

    assert client.put("/items/7", json=body).json() == {"id": 7, "item": "Sail", "owner": "ada", "importance": 5}


@app.post("/log-in")
async def log_in(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> str:
    return f"{username}:{len(password)}"


@app.post("/log-in/model")
async def log_in_with_model(data: Annotated[Credentials, Form()]) -> str:
    return data.username


def test_forms(client: TestClient) -> None:
    assert client.post("/log-in", data={"username": "ada", "password": "secret"}).json() == "ada:6"
    assert client.post("/log-in", data={"username": "ada"}).status_code == 422
    assert client.post("/log-in/model", data={"username": "ada", "password": "secret"}).json() == "ada"


@app.post("/upload")
async def upload(
    raw: Annotated[bytes, File()],
    file: UploadFile,
    note: Annotated[str, Form()],
    more: list[UploadFile] = [],  # noqa: B006 (FastAPI copies it)
) -> dict[str, object]:
    names = [each.filename for each in more]
    return {
        "raw": len(raw),
        "name": file.filename,
        "type": file.content_type,
        "text": (await file.read()).decode(),
        "note": note,
        "more": names,
    }


def test_files_and_fields_of_one_form(client: TestClient) -> None:
    files = [
        ("raw", ("raw.bin", b"12345")),
        ("file", ("note.txt", b"ahoy", "text/plain")),
        ("more", ("one.txt", b"1")),
        ("more", ("two.txt", b"2")),
    ]

    assert client.post("/upload", data={"note": "n"}, files=files).json() == {
        "raw": 5,
        "name": "note.txt",
        "type": "text/plain",
        "text": "ahoy",
        "note": "n",
        "more": ["one.txt", "two.txt"],
    }


@app.post("/raw/{name}")
async def read_raw(name: str, request: Request) -> dict[str, object]:
    host = request.client.host if request.client else None
    pieces = [piece async for piece in request.stream()]
    return {"name": name, "size": sum(map(len, pieces)), "host": host, "url": str(request.url)}


def test_the_request_itself(client: TestClient) -> None:
    answer = client.post("/raw/sail?a=1", content=b"x" * 1000).json()

    assert answer == {"name": "sail", "size": 1000, "host": "testclient", "url": "http://testserver/raw/sail?a=1"}


def test_other_methods_and_paths_are_refused(client: TestClient) -> None:
    assert client.delete("/search").status_code == 405
    assert client.get("/nowhere").json() == {"detail": "Not Found"}

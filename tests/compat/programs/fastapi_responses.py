"""FastAPI on core: what goes back."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Request, Response, status
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from fastapi.testclient import TestClient
from pydantic import BaseModel


class Person(BaseModel):
    name: str
    joined_at: datetime | None = None
    owed: Decimal = Decimal(0)


class PersonWithPassword(Person):
    password: str


class Refused(Exception):
    pass


def test_the_response_model_leaves_out_what_is_secret() -> None:
    app = FastAPI()

    @app.post("/people", status_code=status.HTTP_201_CREATED)
    async def create(person: PersonWithPassword) -> Person:
        return person

    @app.get("/people", response_model=list[Person], response_model_exclude_unset=True)
    async def show() -> list[dict[str, str]]:
        return [{"name": "Ada", "password": "secret"}]

    client = TestClient(app)
    created = client.post("/people", json={"name": "Ada", "password": "secret", "owed": "1.50"})
    assert (created.status_code, created.json()) == (201, {"name": "Ada", "joined_at": None, "owed": "1.50"})
    assert client.get("/people").json() == [{"name": "Ada"}]


def test_nothing_is_answered_with_204() -> None:
    app = FastAPI()

    @app.delete("/", status_code=204)
    async def remove() -> None:
        return None

    response = TestClient(app).delete("/")
    assert (response.status_code, response.content, "content-length" in response.headers) == (204, b"", False)


def test_status_headers_and_cookies_through_a_parameter() -> None:
    app = FastAPI()

    @app.put("/")
    async def put(response: Response, visits: Annotated[int, Cookie()] = 0) -> int:
        response.status_code = 201
        response.headers["x-cat-dog"] = "alone"
        response.set_cookie("visits", str(visits + 1))
        return visits

    client = TestClient(app)
    first, second = client.put("/"), client.put("/")
    assert (first.status_code, first.headers["x-cat-dog"]) == (201, "alone")
    assert (first.json(), second.json()) == (0, 1)


def test_responses_of_every_class(tmp_path: Path) -> None:
    app = FastAPI()
    (tmp_path / "list.csv").write_text("a,b\n")

    async def letters() -> AsyncIterator[bytes]:
        for letter in "abc":
            yield letter.encode()

    responses = {
        "html": HTMLResponse("<p>ahoy</p>"),
        "text": PlainTextResponse("ahoy"),
        "json": JSONResponse(jsonable_encoder({"at": datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1)))})),
        "redirect": RedirectResponse("/text", status_code=303),
        "stream": StreamingResponse(letters(), media_type="text/plain"),
        "file": FileResponse(tmp_path / "list.csv", filename="list.csv"),
    }

    @app.get("/{kind}", response_class=Response)
    async def show(kind: str) -> Response:
        return responses[kind]

    client = TestClient(app)
    assert client.get("/html").headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/json").json() == {"at": "2026-01-02T00:00:00+01:00"}
    assert client.get("/redirect").text == "ahoy"
    assert client.get("/stream").text == "abc"
    assert client.get("/file").headers["content-disposition"] == 'attachment; filename="list.csv"'
    assert client.get("/file", headers={"range": "bytes=0-0"}).status_code == 206


def test_json_lines_and_events_from_generators() -> None:
    app = FastAPI()

    @app.get("/lines")
    async def lines() -> AsyncIterator[Person]:
        for name in ("Ada", "Grace"):
            yield Person(name=name)

    response = TestClient(app).get("/lines")
    assert [json.loads(line)["name"] for line in response.text.splitlines()] == ["Ada", "Grace"]


def test_a_default_response_class() -> None:
    app = FastAPI(default_response_class=PlainTextResponse)

    @app.get("/")
    async def show() -> str:
        return "ahoy"

    assert TestClient(app).get("/").text == "ahoy"


def test_refusals_with_headers() -> None:
    app = FastAPI()

    @app.get("/")
    async def refuse() -> None:
        raise HTTPException(404, {"what": "item"}, headers={"x-error": "there goes my error"})

    response = TestClient(app).get("/")
    assert (response.status_code, response.json()) == (404, {"detail": {"what": "item"}})
    assert response.headers["x-error"] == "there goes my error"


def test_exception_handlers_of_ones_own() -> None:
    app = FastAPI()

    @app.exception_handler(Refused)
    async def explain(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"refused": str(error), "path": request.url.path}, status_code=418)

    @app.exception_handler(RequestValidationError)
    async def shorten(request: Request, error: RequestValidationError) -> PlainTextResponse:
        return PlainTextResponse(f"{len(error.errors())} errors", status_code=400)

    @app.exception_handler(404)
    async def miss(request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("nowhere", status_code=404)

    @app.get("/{number}")
    async def refuse(number: int) -> None:
        raise Refused(number)

    client = TestClient(app)
    assert (client.get("/7").status_code, client.get("/7").json()) == (418, {"refused": "7", "path": "/7"})
    assert (client.get("/x").status_code, client.get("/x").text) == (400, "1 errors")
    assert client.get("/a/b").text == "nowhere"


def test_an_error_is_a_500_that_the_server_learns_of() -> None:
    app = FastAPI()
    seen: list[str] = []

    @app.exception_handler(Exception)
    async def note(request: Request, error: Exception) -> PlainTextResponse:
        seen.append(str(error))
        return PlainTextResponse("sorry", status_code=500)

    @app.get("/")
    async def fail() -> None:
        raise ZeroDivisionError("no luck")

    response = TestClient(app, raise_server_exceptions=False).get("/")
    assert (response.status_code, response.text, seen) == (500, "sorry", ["no luck"])


def test_static_files_and_templates(tmp_path: Path) -> None:
    (tmp_path / "site.css").write_text("p { color: red }")
    (tmp_path / "item.html").write_text(
        "<a href=\"{{ url_for('read_item', id=id) }}\">{{ id }}</a> {{ url_for('static', path='/site.css') }}"
    )
    app = FastAPI()
    app.mount("/static", StaticFiles(directory=tmp_path), name="static")
    templates = Jinja2Templates(directory=tmp_path)

    @app.get("/items/{id}", response_class=HTMLResponse)
    async def read_item(request: Request, id: str) -> HTMLResponse:
        return templates.TemplateResponse(request=request, name="item.html", context={"id": id})

    client = TestClient(app)
    page = client.get("/items/<7>")
    assert page.text == '<a href="http://testserver/items/%3C7%3E">&lt;7&gt;</a> http://testserver/static/site.css'
    assert page.template.name == "item.html"
    assert page.context["id"] == "<7>"
    assert client.get("/static/site.css").headers["content-type"].startswith("text/css")
    assert client.get("/static/none.css").json() == {"detail": "Not Found"}

"""sqladmin on core: an administration site on SQLite in memory."""

from collections.abc import Iterator

import pytest
import sqladmin
from sqladmin.authentication import AuthenticationBackend
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient


class Base(DeclarativeBase):
    pass


class Boat(Base):
    __tablename__ = "boats"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class BoatAdmin(sqladmin.ModelView, model=Boat):  # type: ignore[call-arg]  # Its metaclass takes it.
    column_list = ("id", "name")
    column_searchable_list = ("name",)


class Password(AuthenticationBackend):
    async def login(self, request: Request) -> bool:
        form = await request.form()
        request.session["admin"] = form["username"]
        return form["password"] == "secret"

    async def logout(self, request: Request) -> bool:
        request.session.clear()
        return True

    async def authenticate(self, request: Request) -> bool:
        return "admin" in request.session


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([Boat(name="Fram"), Boat(name="Gjøa")])
    yield engine
    engine.dispose()


def client_of(engine: Engine, backend: AuthenticationBackend | None = None) -> TestClient:
    app = Starlette()
    admin = sqladmin.Admin(app, engine, authentication_backend=backend)
    admin.add_view(BoatAdmin)
    return TestClient(app)


@pytest.fixture
def client(engine: Engine) -> TestClient:
    return client_of(engine)


def names(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return [boat.name for boat in session.query(Boat).order_by(Boat.id)]


def test_the_list_shows_every_row(client: TestClient) -> None:
    page = client.get("/admin/boat/list")

    assert page.status_code == 200
    assert "Fram" in page.text
    assert "Gjøa" in page.text


def test_the_list_is_searched(client: TestClient) -> None:
    page = client.get("/admin/boat/list", params={"search": "Gj"})

    assert "Gjøa" in page.text
    assert "Fram" not in page.text


def test_a_row_is_created(client: TestClient, engine: Engine) -> None:
    assert client.get("/admin/boat/create").status_code == 200
    response = client.post("/admin/boat/create", data={"name": "Maud", "save": "Save"})

    assert response.url.path == "/admin/boat/list"
    assert names(engine) == ["Fram", "Gjøa", "Maud"]


def test_a_row_that_does_not_fit_is_shown_again(client: TestClient, engine: Engine) -> None:
    assert client.post("/admin/boat/create", data={"name": ""}).status_code == 400
    assert names(engine) == ["Fram", "Gjøa"]


def test_a_row_is_edited(client: TestClient, engine: Engine) -> None:
    assert 'value="Fram"' in client.get("/admin/boat/edit/1").text
    client.post("/admin/boat/edit/1", data={"name": "Fram II", "save": "Save"})

    assert names(engine) == ["Fram II", "Gjøa"]


def test_a_row_is_deleted(client: TestClient, engine: Engine) -> None:
    assert client.delete("/admin/boat/delete", params={"pks": "1"}).status_code == 200
    assert names(engine) == ["Gjøa"]


def test_rows_are_exported(client: TestClient) -> None:
    assert client.get("/admin/boat/export/csv").text.splitlines() == ["id,name", "1,Fram", "2,Gjøa"]


def test_pages_lead_to_files_that_exist(client: TestClient) -> None:
    response = client.get("/admin/statics/css/main.css")

    assert (response.status_code, response.headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_unknown_views_and_rows_are_missing(client: TestClient) -> None:
    assert client.get("/admin/ship/list").status_code == 404
    assert client.get("/admin/boat/details/77").status_code == 404


def test_only_who_logged_in_sees_anything(engine: Engine) -> None:
    client = client_of(engine, Password(secret_key="a secret of the check"))

    assert client.get("/admin/boat/list").url.path == "/admin/login"
    assert client.post("/admin/login", data={"username": "ada", "password": "guess"}).status_code == 400
    client.post("/admin/login", data={"username": "ada", "password": "secret"})
    assert "Fram" in client.get("/admin/boat/list").text

"""starlette-admin on core: an administration site on SQLite in memory."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette_admin.contrib.sqla import Admin, ModelView


class Base(DeclarativeBase):
    pass


class Boat(Base):
    __tablename__ = "boats"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([Boat(name="Fram"), Boat(name="Gjøa")])
    yield engine
    engine.dispose()


@pytest.fixture
def client(engine: Engine) -> TestClient:
    app = Starlette()
    admin = Admin(engine, title="Harbour", secret_key="a secret of the check, long enough")
    admin.add_view(ModelView(Boat))
    admin.mount_to(app)
    return TestClient(app)


def names(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return [boat.name for boat in session.query(Boat).order_by(Boat.id)]


def token_of(page: str) -> str:
    """The token that the site wants back with each of its forms."""
    found = re.search(r'name="csrftoken" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def submit(client: TestClient, address: str, **fields: str) -> int:
    """Submit the form of a page; returns the status. The form is a multipart one."""
    token = token_of(client.get(address).text)
    files = {name: (None, value) for name, value in {"csrftoken": token, **fields}.items()}
    return client.post(address, files=files, follow_redirects=False).status_code


def test_the_list_shows_every_row(client: TestClient) -> None:
    page = client.get("/admin/boat/list")

    assert page.status_code == 200
    assert "Fram" in page.text
    assert "Gjøa" in page.text


def test_a_row_has_a_page(client: TestClient) -> None:
    assert "Gjøa" in client.get("/admin/boat/detail", params={"pk": "2"}).text


def test_a_row_is_created(client: TestClient, engine: Engine) -> None:
    assert submit(client, "/admin/boat/create", name="Maud") == 303
    assert names(engine) == ["Fram", "Gjøa", "Maud"]


def test_the_site_says_what_it_did(client: TestClient) -> None:
    submit(client, "/admin/boat/create", name="Maud")

    assert "success" in client.get("/admin/boat/list").text


def test_a_form_without_its_token_is_refused(client: TestClient, engine: Engine) -> None:
    assert client.post("/admin/boat/create", data={"name": "Maud"}).status_code == 403
    assert names(engine) == ["Fram", "Gjøa"]


def test_a_row_that_does_not_fit_is_shown_again(client: TestClient, engine: Engine) -> None:
    assert submit(client, "/admin/boat/create", name="") == 422
    assert names(engine) == ["Fram", "Gjøa"]


def test_a_row_is_edited(client: TestClient, engine: Engine) -> None:
    assert submit(client, "/admin/boat/edit?pk=1", name="Fram II") == 303
    assert names(engine) == ["Fram II", "Gjøa"]


def test_pages_lead_to_files_that_exist(client: TestClient) -> None:
    page = client.get("/admin/").text
    files = re.findall(r'"http://testserver(/admin/static/[^"]+)"', page)

    assert files
    assert {client.get(file).status_code for file in files} == {200}


def test_unknown_views_and_rows_are_missing(client: TestClient) -> None:
    assert client.get("/admin/ship/list").status_code == 404
    assert client.get("/admin/boat/detail", params={"pk": "77"}).status_code == 404

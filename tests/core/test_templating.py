from pathlib import Path

import jinja2
import pytest

from core.applications import Starlette
from core.requests import Request
from core.responses import Response
from core.routing import Host, Mount, Route, Router
from core.templating import Jinja2Templates
from core.testclient import AsyncTestClient, TestClient


def build(directory: Path, source: str, name: str = "page.html", **context: object) -> Starlette:
    (directory / name).write_text(source)
    templates = Jinja2Templates(
        directory, context_processors=[lambda request: {"site": "Slipway", "shared": "processor"}]
    )

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, name, context)

    return Starlette(
        routes=[
            Route("/", page, name="page"),
            Route("/users/{name}", page, name="user"),
            Mount("/mounted", routes=[Route("/", page)], name="mounted"),
            Host("docs.test", Router([Route("/", page, name="home")]), name="docs"),
        ]
    )


def test_values_are_escaped(tmp_path: Path) -> None:
    response = TestClient(build(tmp_path, "{{ text }}", text="<script>")).get("/")

    assert response.text == "&lt;script&gt;"
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_templates_have_the_request_and_what_processors_add(tmp_path: Path) -> None:
    app = build(tmp_path, "{{ request.url.path }} {{ site }} {{ shared }}", shared="handler")

    assert TestClient(app).get("/").text == "/ Slipway handler"


LINKS = {
    "{{ url_for('page') }}": "http://testserver/app/",
    "{{ url_for('user', name='ada') }}": "http://testserver/app/users/ada",
    "{{ url_path_for('page') }}": "/app/",
    "{{ url_path_for('user', name='a b') }}": "/app/users/a%20b",
    "{{ url_path_for('docs:home') }}": "http://docs.test/app/",
}


@pytest.mark.parametrize("source", LINKS)
@pytest.mark.parametrize("path", ["/", "/mounted/"])
def test_links_are_absolute_or_paths_alone(tmp_path: Path, source: str, path: str) -> None:
    client = TestClient(build(tmp_path, source), root_path="/app")

    assert client.get(f"/app{path}").text == LINKS[source]


def test_the_client_is_told_the_template_and_its_context(tmp_path: Path) -> None:
    response = TestClient(build(tmp_path, "page", text="x")).get("/")
    information = response.extensions["http.response.debug"]

    assert information["template"].name == "page.html"
    assert information["context"]["text"] == "x"


def test_an_environment_of_ones_own_is_used_as_it_is() -> None:
    environment = jinja2.Environment(loader=jinja2.DictLoader({"page": "{{ url_for }}"}), autoescape=True)
    environment.globals["url_for"] = "mine"
    templates = Jinja2Templates(env=environment)

    assert templates.get_template("page").render() == "mine"


def test_either_a_directory_or_an_environment_is_needed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="either 'directory' or 'env'"):
        Jinja2Templates()
    with pytest.raises(AssertionError, match="either 'directory' or 'env'"):
        Jinja2Templates(tmp_path, env=jinja2.Environment(autoescape=True))


def test_the_handlers_own_context_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("")
    context = {"text": "x"}
    Jinja2Templates(tmp_path).TemplateResponse(Request({"type": "http", "headers": []}), "page.html", context)

    assert context == {"text": "x"}


async def test_templates_work_on_both_event_loops(tmp_path: Path) -> None:
    assert (await AsyncTestClient(build(tmp_path, "page")).get("/")).text == "page"

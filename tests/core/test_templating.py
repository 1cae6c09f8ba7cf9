from pathlib import Path
from typing import Any, ClassVar

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, Undefined, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from core.applications import Starlette
from core.requests import Request
from core.responses import Response
from core.routing import Host, Mount, Route, Router
from core.templating import Jinja2Templates
from core.testclient import AsyncTestClient, TestClient
from tests.core.connections import answer, http_scope


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


class Boat:
    name = "<Freya>"
    crew: ClassVar = {"name": "Ada", "items": "rope", "none": None}


class Fleet(dict[str, Any]):
    """Says of itself what it has under a name, in place of what stands there."""

    name = "fleet"


VALUES: dict[str, Any] = {
    "row": {
        "name": "<b>",
        "items": 1,
        "row": {"name": Markup("<i>"), "get": 2},
        "list": [{"name": "x"}, {"name": "y"}],
    },
    "boat": Boat(),
    "fleet": Fleet(name="key", row={"name": "inner"}),
    "number": 7,
    "none": None,
}
NAMES = ("name", "items", "row", "list", "get", "crew", "keys", "missing", "__class__", "none")
PLACES = (
    "{{ X }}",
    "{{ X is defined }}",
    "{{ X|default('d') }}",
    "{% if X %}yes{% else %}no{% endif %}",
    "{% set y = X %}{{ y }}",
    "{% for item in [row, boat, fleet] if X %}{{ item.name }}{{ loop.index }}{% endfor %}",
    "{% macro m(a=X) %}[{{ a }}{{ row.name }}]{% endmacro %}{{ m() }}{{ m(boat.name) }}",
    "{% block b %}{{ X ~ row.name }}{% endblock %}{{ self.b() }}",
    "{{ [X, X, {'k': X}.k] }}",
    "{% with row = boat %}{{ X }}{{ row.name }}{% endwith %}",
    "{{ (X|string)[:3] }}{{ row.list|map(attribute='name')|join }}",
)
CHAINS = st.tuples(st.sampled_from(sorted(VALUES)), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))


def rendered(environment: Environment, source: str) -> str:
    try:
        return environment.from_string(source).render(VALUES)
    except (UndefinedError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


@given(place=st.sampled_from(PLACES), chain=CHAINS, undefined=st.sampled_from([Undefined, StrictUndefined]))
def test_keys_of_dictionaries_are_found_first_and_all_is_as_in_plain_jinja(
    place: str, chain: tuple[str, list[str]], undefined: type[Undefined]
) -> None:
    ours = Jinja2Templates(env=Environment(autoescape=True, undefined=undefined)).env
    source = place.replace("X", ".".join([chain[0], *chain[1]]))

    assert rendered(ours, source) == rendered(Environment(autoescape=True, undefined=undefined), source)


def test_an_environment_with_rules_of_its_own_keeps_them() -> None:
    sandbox = SandboxedEnvironment()
    own = sandbox.code_generator_class

    assert Jinja2Templates(env=sandbox).env.code_generator_class is own


def test_templates_that_await_are_left_to_jinja() -> None:
    environment = Jinja2Templates(env=Environment(autoescape=True, enable_async=True)).env

    assert environment.from_string("{{ row.name }}").render(row={"name": "<b>"}) == "&lt;b&gt;"


async def test_a_page_is_sent_by_a_server_that_asks_for_no_more(tmp_path: Path) -> None:
    sent = await answer(build(tmp_path, "{{ text }}", text="plain"), http_scope())

    assert [message["type"] for message in sent.messages] == ["http.response.start", "http.response.body"]
    assert sent.body == b"plain"

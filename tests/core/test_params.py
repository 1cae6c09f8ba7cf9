"""Typed handlers: what a signature may ask for, and what happens when a request does not have it."""

import contextlib
import enum
import functools
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import anyio
import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from core.applications import Starlette
from core.datastructures import UploadFile
from core.exceptions import HTTPException
from core.params import (
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    InvalidAnswer,
    InvalidSignature,
    InvalidSubmission,
    Path,
    Query,
    Status,
    Submitted,
    compile_endpoint,
    dependencies_of,
    depends_on,
)
from core.problems import InvalidInput, Problem
from core.requests import HTTPConnection, Request
from core.responses import PlainTextResponse, Response
from core.routing import Mount, Route, WebSocketRoute
from core.testclient import TestClient, WebSocketDenialResponse
from core.websockets import WebSocket
from tests.core import annotated_as_text

Handler = Callable[..., Any]
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


def application(**attributes: Any) -> Any:
    return SimpleNamespace(**{"exception_handlers": {}, "dependency_overrides": {}} | attributes)


def request(
    *,
    query: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    path_params: dict[str, Any] | None = None,
    app: Any = None,
) -> Request:
    """A request as a server would hand it over."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    lines = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": query.encode(),
        "headers": lines,
        "path_params": path_params or {},
        "app": app or application(),
    }
    return Request(scope, receive)


async def answer(handler: Handler, path: str = "/", **options: Any) -> Response:
    response = await compile_endpoint(handler, path)(request(**options))
    assert isinstance(response, Response)
    return response


async def value(handler: Handler, path: str = "/", **options: Any) -> Any:
    """The JSON that a handler answers."""
    response = await answer(handler, path, **options)
    assert response.status_code == 200, response.body
    return json.loads(bytes(response.body))


async def errors(handler: Handler, path: str = "/", **options: Any) -> list[tuple[str, str, str]]:
    """Place, pointer and code of every refused input."""
    response = await answer(handler, path, **options)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    return [(error["in"], error["pointer"], error["code"]) for error in json.loads(bytes(response.body))["errors"]]


# The connection and the path


async def test_the_only_parameter_without_an_annotation_is_the_connection() -> None:
    async def page(connection, number: int):  # type: ignore[no-untyped-def]
        return {"number": number, "type": connection.scope["type"]}

    assert await value(page, "/{number:int}", path_params={"number": 3}) == {"number": 3, "type": "http"}


async def test_a_parameter_annotated_as_a_connection_is_the_connection_under_any_name() -> None:
    async def page(one: Request, two: HTTPConnection) -> dict[str, bool]:
        return {"same": one is two}

    assert await value(page) == {"same": True}


async def test_a_path_value_is_passed_as_its_convertor_made_it() -> None:
    async def page(id: UUID) -> dict[str, str]:
        return {"type": type(id).__name__}

    identifier = UUID(int=1)
    assert await value(page, "/{id:uuid}", path_params={"id": identifier}) == {"type": "UUID"}


async def test_a_path_value_becomes_what_its_annotation_says() -> None:
    async def page(number: int, side: Literal["left", "right"]) -> list[Any]:
        return [number, side]

    assert await value(page, "/{number}/{side}", path_params={"number": "7", "side": "left"}) == [7, "left"]


async def test_a_path_value_that_does_not_fit_its_annotation_is_not_found() -> None:
    async def page(number: int) -> dict[str, int]:
        return {"number": number}

    with pytest.raises(HTTPException) as refusal:
        await answer(page, "/{number}", path_params={"number": "seven"})
    assert refusal.value.status_code == 404


async def test_a_path_value_of_an_outer_mount_is_read_by_its_marker() -> None:
    async def page(slug: Annotated[str, Path()], other: Annotated[str, Path("slug")]) -> list[str]:
        return [slug, other]

    assert await value(page, "/members", path_params={"slug": "acme"}) == ["acme", "acme"]


# Query, headers, cookies


class Color(enum.IntEnum):
    RED = 1


async def test_query_parameters_are_converted() -> None:
    async def page(
        number: Annotated[int, Query()], color: Annotated[Color, Query()], tags: Annotated[list[str], Query("tag")]
    ) -> dict[str, Any]:
        return {"number": number, "color": color.name, "tags": tags}

    found = await value(page, query="number=4&color=1&tag=a&tag=b")
    assert found == {"number": 4, "color": "RED", "tags": ["a", "b"]}


async def test_a_query_parameter_with_a_default_may_be_missing_or_empty() -> None:
    async def page(page: Annotated[int, Query()] = 1, text: Annotated[str | None, Query()] = None) -> list[Any]:
        return [page, text]

    assert await value(page) == [1, None]
    assert await value(page, query="page=&text=") == [1, None]


async def test_a_required_text_may_be_empty() -> None:
    async def page(text: Annotated[str, Query()]) -> list[str]:
        return [text]

    assert await value(page, query="text=") == [""]


async def test_constraints_beside_the_marker_are_checked() -> None:
    async def page(
        size: Annotated[int, Query(), Field(le=100)] = 20, name: Annotated[str, Query(), Field(min_length=2)] = "xx"
    ) -> list[Any]:
        return [size, name]

    assert await errors(page, query="size=101&name=a") == [
        ("query", "#/size", "less_than_equal"),
        ("query", "#/name", "string_too_short"),
    ]


class Window(BaseModel):
    page: int = 1
    size: int = Field(20, le=100)
    role: Literal["owner", "member"] | None = None
    tags: list[str] = []


class StrictWindow(Window):
    model_config = ConfigDict(extra="forbid")


async def test_a_model_takes_all_query_parameters() -> None:
    async def page(window: Annotated[Window, Query()]) -> Window:
        return window

    found = await value(page, query="page=2&role=&tags=a&tags=b&other=1")
    assert found == {"page": 2, "size": 20, "role": None, "tags": ["a", "b"]}


async def test_a_model_that_forbids_extras_refuses_unknown_query_parameters() -> None:
    async def page(window: Annotated[StrictWindow, Query()]) -> Window:
        return window

    assert await errors(page, query="page=2&pgae=3") == [("query", "#/pgae", "extra_forbidden")]


async def test_a_model_that_forbids_extras_does_not_take_an_empty_value_for_a_missing_one() -> None:
    async def page(window: Annotated[StrictWindow, Query()]) -> Window:
        return window

    assert await errors(page, query="page=2&size=") == [("query", "#/size", "int_parsing")]


async def test_headers_are_found_by_their_dashed_names() -> None:
    async def page(
        x_request_id: Annotated[str, Header()], agent: Annotated[str, Header("user-agent")] = ""
    ) -> list[str]:
        return [x_request_id, agent]

    assert await value(page, headers={"X-Request-Id": "7", "User-Agent": "test"}) == ["7", "test"]


class Conditions(BaseModel):
    if_match: str
    if_none_match: str | None = None


async def test_a_model_takes_headers() -> None:
    async def page(conditions: Annotated[Conditions, Header()]) -> Conditions:
        return conditions

    assert await value(page, headers={"If-Match": '"a"'}) == {"if_match": '"a"', "if_none_match": None}


async def test_cookies_are_read() -> None:
    async def page(theme: Annotated[Literal["light", "dark"], Cookie()] = "light") -> list[str]:
        return [theme]

    assert await value(page, headers={"Cookie": "a=b; theme=dark"}) == ["dark"]
    assert await errors(page, headers={"Cookie": "theme=pink"}) == [("cookie", "#/theme", "literal_error")]


class Preferences(BaseModel):
    theme: str = "light"
    seen: list[str] = []


async def test_a_model_takes_cookies() -> None:
    async def page(preferences: Annotated[Preferences, Cookie()]) -> Preferences:
        return preferences

    assert await value(page, headers={"Cookie": "theme=dark; seen=tour"}) == {"theme": "dark", "seen": ["tour"]}
    assert await value(page) == {"theme": "light", "seen": []}


# Forms and files


class SignUp(BaseModel):
    name: str = Field(min_length=2)
    age: int | None = None
    roles: list[str] = []


async def test_form_fields_are_read_one_by_one_or_as_a_model() -> None:
    async def one(name: Annotated[str, Form()], age: Annotated[int, Form()] = 0) -> list[Any]:
        return [name, age]

    async def whole(form: Annotated[SignUp, Form()]) -> SignUp:
        return form

    body = b"name=Ada&age=&roles=a&roles=b"
    assert await value(one, headers=FORM, body=body) == ["Ada", 0]
    assert await value(whole, headers=FORM, body=body) == {"name": "Ada", "age": None, "roles": ["a", "b"]}


async def test_a_body_of_another_type_is_no_form() -> None:
    async def page(name: Annotated[str, Form()]) -> list[str]:
        return [name]

    assert (await answer(page, headers=JSON, body=b"{}")).status_code == 415


def multipart(*parts: tuple[str, str | None, bytes]) -> dict[str, Any]:
    body = b""
    for name, filename, content in parts:
        suffix = "" if filename is None else f'; filename="{filename}"'
        body += f'--limit\r\nContent-Disposition: form-data; name="{name}"{suffix}\r\n\r\n'.encode() + content + b"\r\n"
    return {"headers": {"content-type": "multipart/form-data; boundary=limit"}, "body": body + b"--limit--\r\n"}


async def test_files_arrive_as_uploads_or_bytes() -> None:
    async def page(
        one: Annotated[UploadFile, File()],
        raw: Annotated[bytes, File("one")],
        all: Annotated[list[UploadFile], File("one")],
    ) -> list[Any]:
        return [one.filename, raw.decode(), len(all)]

    assert await value(page, **multipart(("one", "a.txt", b"x"), ("one", "b.txt", b"hello"))) == ["b.txt", "hello", 2]


async def test_a_file_control_left_empty_is_a_missing_file() -> None:
    async def page(one: Annotated[UploadFile, File()]) -> list[Any]:
        return [one.filename]

    async def optional(one: Annotated[UploadFile | None, File()] = None) -> list[Any]:
        return [one]

    empty = multipart(("one", "", b""))
    assert await errors(page, **empty) == [("form", "#/one", "missing")]
    assert await value(optional, **empty) == [None]


async def test_uploads_are_closed_when_the_handler_has_returned() -> None:
    kept: list[UploadFile] = []

    async def page(one: Annotated[UploadFile, File()]) -> None:
        assert not one.file.closed
        kept.append(one)

    assert (await answer(page, **multipart(("one", "a.txt", b"x")))).status_code == 204
    assert kept[0].file.closed


async def test_a_file_of_another_kind_than_declared_is_refused() -> None:
    async def page(file: Annotated[bytes, File(), Field(max_length=3)]) -> None: ...

    assert await errors(page, **multipart(("file", "a.txt", b"12345"))) == [("form", "#/file", "bytes_too_long")]


# JSON bodies


class Project(BaseModel):
    name: str
    tags: list[str] = []


async def test_a_json_body_is_validated() -> None:
    async def create(body: Annotated[Project, Body()]) -> Project:
        return body

    assert await value(create, headers=JSON, body=b'{"name": "x"}') == {"name": "x", "tags": []}
    headers = {"content-type": "application/vnd.slipway+json; charset=utf-8"}
    assert await value(create, headers=headers, body=b'{"name": "y"}') == {"name": "y", "tags": []}


async def test_bad_fields_of_a_body_are_named_by_json_pointers() -> None:
    async def create(body: Annotated[Project, Body()]) -> Project:
        return body

    found = await errors(create, headers=JSON, body=b'{"tags": ["a", 1]}')
    assert found == [("body", "#/name", "missing"), ("body", "#/tags/1", "string_type")]
    assert await errors(create, headers=JSON) == [("body", "#", "missing")]


async def test_an_optional_body_may_be_missing() -> None:
    async def create(body: Annotated[Project | None, Body()] = None) -> list[Any]:
        return [body]

    assert await value(create) == [None]


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded", "text/json"])
async def test_cve_2021_32677_json_of_another_content_type_is_refused(content_type: str) -> None:
    async def create(body: Annotated[Project, Body()]) -> Project:
        return body

    response = await answer(create, headers={"content-type": content_type}, body=b'{"name": "x"}')
    assert response.status_code == 415


async def test_json_that_cannot_be_parsed_is_a_bad_request() -> None:
    async def create(body: Annotated[Project, Body()]) -> Project:
        return body

    response = await answer(create, headers=JSON, body=b'{"name": ')
    assert response.status_code == 400
    assert "valid JSON" in json.loads(bytes(response.body))["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 33 + b"]" * 33, 400),
        (b"[" * 32 + b"]" * 32, 200),
        (b"[" + b"[]," * 40 + b"[]]", 200),
        (b"[" + b"1," * 10_001 + b"1]", 400),
        (b'["' + b"[" * 50 + b'"]', 200),
        (b'["' + b"," * 20_000 + b'"]', 200),
        (b'["' + b'\\",[' * 20_000 + b'"]', 200),
        (b'{"a":"' + b"\\" * 7 + b'"' + b"[" * 40, 400),
    ],
)
@pytest.mark.requirement("LIM-4")
async def test_deep_and_huge_json_is_refused_before_it_is_parsed(body: bytes, status: int) -> None:
    async def create(body: Annotated[Any, Body()]) -> PlainTextResponse:
        return PlainTextResponse("ok")

    assert (await answer(create, headers=JSON, body=body)).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"a": 1, "a": 1}', 422),
        (b'[{"a": {"b": 1, "c": 2, "b": 3}}]', 422),
        (b'{"a": 1, "\\u0061": 2}', 422),
        (b'[{"a": 1}, {"a": 1}]', 200),
        (b'{"a": {"a": ' + b"9" * 4000 + b"}}", 200),
        (b'{"a": "' + b"x" * 70_000 + b'", "a": 1}', 422),
    ],
)
async def test_two_values_under_one_name_are_refused_where_names_are_unique(body: bytes, status: int) -> None:
    async def create(body: Annotated[Any, Body(unique_names=True)]) -> PlainTextResponse:
        return PlainTextResponse("ok")

    response = await answer(create, headers=JSON, body=body)
    assert response.status_code == status
    if status == 422:
        assert json.loads(bytes(response.body))["errors"][0]["code"] == "repeated_name"


async def test_a_large_body_is_parsed_in_a_thread() -> None:
    threads: list[int] = []

    class Text(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def note_thread(cls, text: str) -> str:
            threads.append(threading.get_ident())
            return text

    async def create(body) -> None:  # type: ignore[no-untyped-def]
        pass

    create.__annotations__["body"] = Annotated[Text, Body()]
    for size in (10, 70_000):
        await answer(create, headers=JSON, body=json.dumps({"text": "x" * size}).encode())
    assert threads[0] == threading.get_ident() != threads[1]


async def test_bytes_are_the_raw_body_of_any_type() -> None:
    async def receive_webhook(body: Annotated[bytes, Body()]) -> list[str]:
        return [body.decode()]

    assert await value(receive_webhook, headers={"content-type": "text/plain"}, body=b"signed") == ["signed"]


async def test_everything_wrong_with_a_request_is_reported_at_once() -> None:
    def find_page(page: Annotated[int, Query()]) -> int:
        return page

    async def create(
        page: Annotated[int, Depends(find_page)], x_version: Annotated[int, Header()], body: Annotated[Project, Body()]
    ) -> None:
        raise AssertionError("the handler ran with bad input")

    found = await errors(create, query="page=x", headers=JSON | {"X-Version": "y"}, body=b"{}")
    assert found == [
        ("query", "#/page", "int_parsing"),
        ("header", "#/x-version", "int_parsing"),
        ("body", "#/name", "missing"),
    ]


async def test_a_problem_never_repeats_what_was_sent() -> None:
    async def log_in(password: Annotated[str, Form(), Field(min_length=20)]) -> None: ...

    response = await answer(log_in, headers=FORM, body=b"password=hunter2")
    assert response.status_code == 422
    assert b"hunter2" not in bytes(response.body)


@pytest.mark.parametrize("key", [422, InvalidInput, Problem, HTTPException])
async def test_an_application_that_handles_refusals_gets_them_raised(key: Any) -> None:
    async def page(number: Annotated[int, Query()]) -> None: ...

    with pytest.raises(InvalidInput) as refusal:
        await answer(page, app=application(exception_handlers={key: None}))
    assert refusal.value.extensions["errors"][0]["pointer"] == "#/number"


# Dependencies


@dataclass
class User:
    name: str


async def current_user(authorization: Annotated[str, Header()] = "") -> User:
    if not authorization:
        raise HTTPException(401)
    return User(authorization)


CurrentUser = Annotated[User, Depends(current_user)]


async def test_a_dependency_is_resolved_like_a_handler() -> None:
    async def page(user: CurrentUser) -> list[str]:
        return [user.name]

    assert await value(page, headers={"Authorization": "ada"}) == ["ada"]


async def test_a_stranger_is_refused_before_the_input_is_looked_at() -> None:
    async def page(number: Annotated[int, Query()], user: CurrentUser) -> None: ...

    with pytest.raises(HTTPException) as refusal:
        await answer(page)
    assert refusal.value.status_code == 401


async def test_a_dependency_is_called_once_per_request() -> None:
    calls: list[str] = []

    async def base() -> int:
        calls.append("base")
        return len(calls)

    async def left(base: Annotated[int, Depends(base)]) -> int:
        return base

    async def right(base: Annotated[int, Depends(base)]) -> int:
        return base

    async def page(
        left: Annotated[int, Depends(left)], right: Annotated[int, Depends(right)], base: Annotated[int, Depends(base)]
    ) -> list[int]:
        return [left, right, base]

    assert await value(page) == [1, 1, 1]
    assert await value(page) == [2, 2, 2]


async def test_sync_dependencies_and_handlers_run_in_a_worker_thread() -> None:
    def thread() -> int:
        return threading.get_ident()

    def page(first: Annotated[int, Depends(thread)]) -> list[bool]:
        return [first == loop, threading.get_ident() == loop]

    loop = threading.get_ident()
    assert await value(page) == [False, False]


class Pagination:
    def __init__(self, page: Annotated[int, Query()] = 1) -> None:
        self.offset = (page - 1) * 20


async def test_a_class_is_a_dependency() -> None:
    async def named(pagination: Annotated[Pagination, Depends(Pagination)]) -> list[int]:
        return [pagination.offset]

    async def unnamed(pagination: Annotated[Pagination, Depends()]) -> list[int]:
        return [pagination.offset]

    assert await value(named, query="page=3") == [40]
    assert await value(unnamed, query="page=2") == [20]


class Multiplier:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    async def __call__(self, number: Annotated[int, Query()]) -> int:
        return self.factor * number

    async def negative(self, number: Annotated[int, Query()]) -> int:
        return -self.factor * number


async def test_objects_methods_and_partials_are_dependencies() -> None:
    double = Multiplier(2)

    async def power(base: int, number: Annotated[int, Query()]) -> int:
        return int(base**number)

    async def page(
        doubled: Annotated[int, Depends(double)],
        negative: Annotated[int, Depends(double.negative)],
        power: Annotated[int, Depends(functools.partial(power, base=2))],
    ) -> list[int]:
        return [doubled, negative, power]

    assert await value(page, query="number=5") == [10, -10, 32]


class Allowed(Depends):
    """A dependency with data of its own, as the product's permission check has."""

    def __init__(self, permission: str) -> None:
        super().__init__(self.check)
        self.permission = permission

    async def check(self, user: CurrentUser) -> str:
        return f"{user.name} may {self.permission}"


async def test_a_subclass_carries_data() -> None:
    async def page(scope: Annotated[str, Allowed("members.invite")]) -> list[str]:
        return [scope]

    assert await value(page, headers={"Authorization": "ada"}) == ["ada may members.invite"]


async def test_dependencies_of_walks_the_whole_tree() -> None:
    async def page(
        scope: Annotated[str, Allowed("members.invite")], page: Annotated[Pagination, Depends()]
    ) -> None: ...

    found = list(dependencies_of(depends_on(Depends(current_user))(page)))
    assert [type(marker).__name__ for marker in found] == ["Depends", "Allowed", "Depends", "Depends"]
    assert [marker.permission for marker in found if isinstance(marker, Allowed)] == ["members.invite"]


async def test_a_plain_handler_has_no_dependencies() -> None:
    async def page(request: Request) -> None: ...

    assert list(dependencies_of(page)) == []


async def test_depends_on_runs_dependencies_for_their_effect_alone() -> None:
    seen: list[str] = []

    async def first() -> None:
        seen.append("first")

    async def second(user: CurrentUser) -> None:
        seen.append(user.name)

    @depends_on(Depends(first), Depends(second))
    async def page(request: Request) -> list[str]:
        return [*seen, "handler"]

    assert await value(page, headers={"Authorization": "ada"}) == ["first", "ada", "handler"]
    with pytest.raises(HTTPException):
        await answer(page)


async def test_depends_on_holds_for_a_dependency_as_for_a_handler() -> None:
    seen: list[str] = []

    async def first() -> None:
        seen.append("first")

    @depends_on(Depends(first))
    async def second() -> list[str]:
        return [*seen, "second"]

    async def page(found: Annotated[list[str], Depends(second)]) -> list[str]:
        return found

    assert await value(page) == ["first", "second"]
    assert len(list(dependencies_of(page))) == 2


async def test_keyword_only_parameters_are_passed_by_name() -> None:
    async def page(
        request: Request, *, number: Annotated[int, Query()], name: Annotated[str, Form()] = "none"
    ) -> list[Any]:
        return [number, name]

    assert await value(page, query="number=1", headers=FORM, body=b"name=x") == [1, "x"]


# Generators


async def test_a_generator_finishes_after_the_handler_and_before_the_response_is_given_back() -> None:
    events: list[str] = []

    async def transaction() -> AsyncIterator[str]:
        events.append("begin")
        yield "db"
        events.append("commit")

    async def page(db: Annotated[str, Depends(transaction)]) -> list[str]:
        events.append("handler")
        return [db]

    assert await value(page) == ["db"]
    assert events == ["begin", "handler", "commit"]


async def test_generators_finish_last_opened_first_in_threads_where_they_are_sync() -> None:
    events: list[str] = []

    async def outer() -> AsyncIterator[None]:
        yield
        events.append("outer")

    def inner(outer: Annotated[None, Depends(outer)]) -> Iterator[None]:
        yield
        events.append(f"inner in the loop: {threading.get_ident() == loop}")

    async def page(inner: Annotated[None, Depends(inner)]) -> None: ...

    loop = threading.get_ident()
    assert (await answer(page)).status_code == 204
    assert events == ["inner in the loop: False", "outer"]


async def test_a_generator_sees_the_exception_of_the_handler() -> None:
    events: list[str] = []

    async def transaction() -> AsyncIterator[None]:
        try:
            yield
        except BaseException as error:
            events.append(f"rollback after {error!r}")
            raise

    def sync_transaction() -> Iterator[None]:
        try:
            yield
        except KeyError:
            events.append("rollback in a thread")
            raise

    async def page(
        db: Annotated[None, Depends(transaction)], other: Annotated[None, Depends(sync_transaction)]
    ) -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError):
        await answer(page)
    assert events == ["rollback in a thread", "rollback after KeyError('lost')"]


async def test_a_commit_that_fails_is_an_error_and_not_the_handlers_answer() -> None:
    events: list[str] = []

    async def outer() -> AsyncIterator[None]:
        try:
            yield
        except ConnectionError:
            events.append("outer saw it")
            raise

    async def transaction(outer: Annotated[None, Depends(outer)]) -> AsyncIterator[None]:
        yield
        raise ConnectionError("commit failed")

    async def page(db: Annotated[None, Depends(transaction)]) -> PlainTextResponse:
        return PlainTextResponse("Saved")

    with pytest.raises(ConnectionError, match="commit failed"):
        await answer(page)
    assert events == ["outer saw it"]


async def test_a_generator_may_raise_another_exception_but_not_swallow_one() -> None:
    async def translating() -> AsyncIterator[None]:
        try:
            yield
        except KeyError as error:
            raise HTTPException(409) from error

    async def swallowing() -> AsyncIterator[None]:
        with contextlib.suppress(ValueError):
            yield

    async def translated(db: Annotated[None, Depends(translating)]) -> None:
        raise KeyError

    async def swallowed(db: Annotated[None, Depends(swallowing)]) -> None:
        raise ValueError("not lost")

    with pytest.raises(HTTPException):
        await answer(translated)
    with pytest.raises(ValueError, match="not lost"):
        await answer(swallowed)


async def test_a_result_that_cannot_be_sent_rolls_back() -> None:
    events: list[str] = []

    async def transaction() -> AsyncIterator[None]:
        try:
            yield
        except InvalidAnswer:
            events.append("rollback")
            raise

    async def page(db: Annotated[None, Depends(transaction)]) -> Project:
        return "no project"  # type: ignore[return-value]

    with pytest.raises(InvalidAnswer):
        await answer(page)
    assert events == ["rollback"]


async def test_refused_input_rolls_back() -> None:
    events: list[str] = []

    async def transaction() -> AsyncIterator[None]:
        try:
            yield
        except InvalidInput:
            events.append("rollback")
            raise

    async def page(db: Annotated[None, Depends(transaction)], number: Annotated[int, Query()]) -> None: ...

    assert (await answer(page)).status_code == 422
    assert events == ["rollback"]


async def test_generators_of_a_cancelled_request_can_still_wait_while_they_clean_up() -> None:
    events: list[str] = []

    async def transaction() -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            await anyio.lowlevel.checkpoint()
            events.append("rolled back")
            raise

    async def page(db: Annotated[None, Depends(transaction)]) -> None:
        waiting.set()
        await anyio.sleep_forever()

    waiting = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(answer, page)
        await waiting.wait()
        group.cancel_scope.cancel()
    assert events == ["rolled back"]


async def test_a_generator_has_to_yield_exactly_once() -> None:
    async def never() -> AsyncIterator[None]:
        for _ in ():
            yield

    async def twice() -> AsyncIterator[None]:
        yield
        yield

    def sync_twice() -> Iterator[None]:
        yield
        yield

    async def first(db: Annotated[None, Depends(never)]) -> None: ...
    async def second(db: Annotated[None, Depends(twice)]) -> None: ...
    async def third(db: Annotated[None, Depends(sync_twice)]) -> None: ...

    with pytest.raises(RuntimeError, match="never ended without a yield"):
        await answer(first)
    for handler in (second, third):
        with pytest.raises(RuntimeError, match="yielded more than once"):
            await answer(handler)


# Overrides


async def test_an_application_replaces_dependencies() -> None:
    async def page(user: CurrentUser) -> list[str]:
        return [user.name]

    endpoint = compile_endpoint(page, "/")
    app = application()
    for name in ("ada", "bob"):
        app.dependency_overrides[current_user] = functools.partial(User, name)
        for _ in range(2):
            assert json.loads((await endpoint(request(app=app))).body) == [name]
    app.dependency_overrides.clear()
    with pytest.raises(HTTPException):
        await endpoint(request(app=app))


async def test_a_replacement_is_resolved_with_its_own_needs() -> None:
    async def user_from_query(name: Annotated[str, Query()]) -> User:
        return User(name)

    async def page(scope: Annotated[str, Allowed("x")]) -> list[str]:
        return [scope]

    app = application(dependency_overrides={current_user: user_from_query})
    assert await value(page, query="name=eve", app=app) == ["eve may x"]


# Submitted forms


class Invitation(BaseModel):
    email: str = Field(min_length=3)
    role: Literal["owner", "member"] = "member"
    password: SecretStr | None = None
    seats: int = 1
    tags: list[str] = []

    @model_validator(mode="after")
    def check_seats(self) -> "Invitation":
        if self.seats == 13:
            raise ValueError("Thirteen seats are not sold.")
        return self


class SpokenInvitation(Invitation):
    @classmethod
    def describe_error(cls, error: ErrorDetails) -> str:
        return f"Unsinn: {error['type']}"


async def submit(model: type[BaseModel] = Invitation, **fields: Any) -> Submitted[Any]:
    forms: list[Submitted[Any]] = []

    async def page(form) -> None:  # type: ignore[no-untyped-def]
        forms.append(form)

    page.__annotations__["form"] = Submitted[model]  # type: ignore[valid-type]
    await answer(page, headers=FORM, body=urlencode(fields, doseq=True).encode())
    return forms[0]


async def test_a_valid_submission_has_data() -> None:
    form = await submit(email="ada@example.com", seats="2", role="", tags=["a", ""])
    assert form.is_valid
    assert form.error_count == 0
    assert form.data == Invitation(email="ada@example.com", seats=2, tags=["a"])


async def test_an_invalid_submission_has_errors_and_what_was_typed() -> None:
    form = await submit(email="", seats="two", role="boss", tags=["a"], password="secret", unknown="x")
    assert not form.is_valid
    assert form.errors == {
        "email": ["Field required"],
        "role": ["Input should be 'owner' or 'member'"],
        "seats": ["Input should be a valid integer, unable to parse string as an integer"],
    }
    assert form.error_count == 3
    assert form.values == {"email": "", "seats": "two", "role": "boss", "tags": ["a"]}
    with pytest.raises(InvalidSubmission):
        _ = form.data


async def test_errors_of_the_whole_form_have_no_field() -> None:
    form = await submit(email="ada@example.com", seats="13")
    assert form.errors == {"": ["Thirteen seats are not sold."]}


async def test_messages_name_their_limits() -> None:
    assert (await submit(email="a")).errors == {"email": ["String should have at least 3 characters"]}


async def test_a_model_words_its_own_errors() -> None:
    assert (await submit(SpokenInvitation)).errors == {"email": ["Unsinn: missing"]}


async def test_a_handler_adds_errors() -> None:
    form = await submit(email="ada@example.com")
    form.add_error("email", "Already invited.")
    assert not form.is_valid
    assert form.errors == {"email": ["Already invited."]}
    with pytest.raises(InvalidSubmission):
        _ = form.data


async def test_a_blank_form_has_neither_data_nor_errors() -> None:
    form = Submitted.blank(Invitation, email="ada@example.com", password="secret")
    assert not form.is_valid
    assert form.errors == {}
    assert form.values == {"email": "ada@example.com"}
    with pytest.raises(InvalidSubmission):
        _ = form.data


# Answers


async def test_a_response_is_sent_as_it_is() -> None:
    async def page() -> Response:
        return PlainTextResponse("hello", status_code=418)

    assert (await answer(page)).status_code == 418


async def test_records_and_collections_become_json() -> None:
    async def record():  # type: ignore[no-untyped-def]
        return User("ada")

    async def model():  # type: ignore[no-untyped-def]
        return {"project": Project(name="x"), "id": UUID(int=0)}

    assert await value(record) == {"name": "ada"}
    assert await value(model) == {"project": {"name": "x", "tags": []}, "id": str(UUID(int=0))}


async def test_what_the_declared_type_does_not_name_is_not_sent() -> None:
    class Secretive(Project):
        password: str = "hidden"

    async def model() -> Project:
        return Secretive(name="x")

    async def attributes() -> list[Project]:
        return [SimpleNamespace(name="y", tags=[], password="hidden")]  # type: ignore[list-item]

    assert await value(model) == {"name": "x", "tags": []}
    assert await value(attributes) == [{"name": "y", "tags": []}]


async def test_nothing_is_no_content_where_it_is_declared() -> None:
    async def declared() -> None: ...

    async def undeclared():  # type: ignore[no-untyped-def]
        pass

    response = await answer(declared)
    assert (response.status_code, response.body) == (204, b"")
    with pytest.raises(InvalidAnswer, match="undeclared"):
        await answer(undeclared)


async def test_a_status_code_can_be_declared() -> None:
    async def create() -> Annotated[Project, Status(201)]:
        return Project(name="x")

    assert (await answer(create)).status_code == 201


async def test_a_handler_may_answer_with_either() -> None:
    async def page(plain: Annotated[bool, Query()]) -> PlainTextResponse | Project:
        return PlainTextResponse("plain") if plain else Project(name="x")

    assert (await answer(page, query="plain=true")).body == b"plain"
    assert await value(page, query="plain=false") == {"name": "x", "tags": []}


async def test_a_handler_that_promised_a_response_has_to_give_one() -> None:
    async def page() -> Response:
        return {"no": "response"}  # type: ignore[return-value]

    async def nothing() -> None:
        return {"not": "nothing"}  # type: ignore[return-value]

    for handler in (page, nothing):
        with pytest.raises(InvalidAnswer):
            await answer(handler)


async def test_a_response_may_be_returned_whatever_is_declared() -> None:
    async def undeclared():  # type: ignore[no-untyped-def]
        return PlainTextResponse("as it is")

    async def nothing() -> None:
        return PlainTextResponse("as it is")  # type: ignore[return-value]

    async def annotated() -> Annotated[Response, "a page"]:
        return PlainTextResponse("as it is")

    for handler in (undeclared, nothing, annotated):
        assert (await answer(handler)).body == b"as it is"


# Websockets


async def test_websocket_handlers_are_resolved_the_same_way() -> None:
    seen: list[Any] = []

    async def transaction() -> AsyncIterator[str]:
        yield "db"
        seen.append("finished")

    async def echo(
        websocket: WebSocket, room: str, db: Annotated[str, Depends(transaction)], size: Annotated[int, Query()]
    ) -> None:
        seen.extend([websocket.scope["type"], room, db, size])

    async def receive() -> dict[str, Any]:
        raise AssertionError

    async def send(message: Any) -> None:
        raise AssertionError

    scope = {"type": "websocket", "path": "/", "query_string": b"size=3", "headers": [], "path_params": {"room": "a"}}
    assert await compile_endpoint(echo, "/{room}")(WebSocket(scope, receive, send)) is None
    assert seen == ["websocket", "a", "db", 3, "finished"]
    with pytest.raises(InvalidInput):
        await compile_endpoint(echo, "/{room}")(WebSocket(scope | {"query_string": b""}, receive, send))


async def test_a_handler_may_use_what_is_defined_after_it() -> None:
    async def page(number: Annotated[int, Query()]) -> list[int]:
        return [number + later]

    endpoint = compile_endpoint(page, "/")
    later = 1
    assert json.loads((await endpoint(request(query="number=2"))).body) == [3]


Number = TypeAliasType("Number", Annotated[int, Query()])


async def test_a_type_alias_means_what_it_names() -> None:
    async def page(number: Number) -> list[int]:
        return [number]

    assert await value(page, query="number=2") == [2]


# Inside an application


async def show_member(slug: Annotated[str, Path()], number: int) -> dict[str, Any]:
    return {"slug": slug, "number": number}


async def create_project(body: Annotated[Project, Body()]) -> Annotated[Project, Status(201)]:
    return body


@depends_on(Depends(current_user))
async def guarded(request: Request) -> Response:
    return PlainTextResponse("inside")


async def failing_transaction() -> AsyncIterator[None]:
    yield
    raise ConnectionError("commit failed")


async def save(db: Annotated[None, Depends(failing_transaction)]) -> Response:
    return PlainTextResponse("Saved")


async def greet(websocket: WebSocket, room: str, size: Annotated[int, Query()]) -> None:
    await websocket.accept()
    await websocket.send_text(room * size)
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    routes = [
        Mount("/o/{slug}", routes=[Route("/members/{number:int}", show_member)]),
        Route("/projects", create_project, methods=["POST"]),
        Route("/guarded", guarded),
        Route("/save", save),
        WebSocketRoute("/rooms/{room}", greet),
    ]
    return TestClient(Starlette(routes=routes), raise_server_exceptions=False)


def test_routes_compile_typed_handlers(client: TestClient) -> None:
    assert client.get("/o/acme/members/3").json() == {"slug": "acme", "number": 3}
    assert client.post("/projects", json={"name": "x"}).status_code == 201
    assert client.post("/projects", json={}).json()["errors"][0]["pointer"] == "#/name"


def test_a_plain_handler_with_a_dependency_is_guarded(client: TestClient) -> None:
    assert client.get("/guarded").status_code == 401
    assert client.get("/guarded", headers={"Authorization": "ada"}).text == "inside"


def test_a_commit_that_fails_is_an_error_page(client: TestClient) -> None:
    response = client.get("/save")
    assert (response.status_code, response.text) == (500, "Internal Server Error")


def test_a_websocket_route_takes_typed_handlers(client: TestClient) -> None:
    with client.websocket_connect("/rooms/a?size=3") as session:
        assert session.receive_text() == "aaa"
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect("/rooms/a"):
        pass
    assert denial.value.status_code == 422


def test_a_refusal_has_the_applications_own_look(client: TestClient) -> None:
    def show(request: Request, error: HTTPException) -> Response:
        return PlainTextResponse(f"refused: {error.detail}", status_code=error.status_code)

    routes = [Route("/projects", create_project, methods=["POST"])]
    own = TestClient(Starlette(routes=routes, exception_handlers={HTTPException: show}))
    response = own.post("/projects", json={})
    assert (response.status_code, response.text) == (422, "refused: Some values of the request are not valid.")


def test_a_mistake_in_a_signature_is_found_when_the_route_is_built() -> None:
    async def page(request: Request, number: int) -> None: ...

    with pytest.raises(InvalidSignature):
        Route("/", page)


# Mistakes in a signature


def mistaken(handler: Handler, path: str = "/") -> str:
    with pytest.raises(InvalidSignature) as mistake:
        compile_endpoint(handler, path)
    message = str(mistake.value)
    assert "tests/core/test_params.py:" in message
    return message


def test_a_parameter_from_nowhere_is_a_mistake() -> None:
    async def page(request: Request, number: int = 1) -> None: ...

    message = mistaken(page)
    assert "test_a_parameter_from_nowhere_is_a_mistake" in message
    assert "Annotated[int, Query()]" in message


def test_two_parameters_without_annotations_are_a_mistake() -> None:
    async def page(request, other):  # type: ignore[no-untyped-def]
        pass

    assert "'request' has no annotation" in mistaken(page)


def test_a_dependencys_path_parameter_has_to_be_in_the_path() -> None:
    async def find_slug(slug: str) -> str:
        return slug

    async def page(slug: Annotated[str, Depends(find_slug)]) -> None: ...

    assert "find_slug" in mistaken(page)
    compile_endpoint(page, "/{slug}")


def test_variadic_parameters_are_a_mistake() -> None:
    async def page(request: Request, **values: Any) -> None: ...

    assert "*values" in mistaken(page)


def test_markers_need_parentheses_and_stand_in_the_annotation() -> None:
    async def bare(number: Annotated[int, Query]) -> None: ...
    async def default(number: int = Query()) -> None: ...  # type: ignore[assignment]
    async def two(number: Annotated[int, Query(), Header()]) -> None: ...

    assert "write Query(), with parentheses" in mistaken(bare)
    assert "number: Annotated[..., Query()]" in mistaken(default)
    assert "comes from two places" in mistaken(two)


def test_a_circle_of_dependencies_is_a_mistake() -> None:
    async def first(value: int) -> int:
        return value

    async def second(value: Annotated[int, Depends(first)]) -> int:
        return value

    first.__annotations__["value"] = Annotated[int, Depends(second)]

    async def page(value: Annotated[int, Depends(first)]) -> None: ...

    assert "go in a circle" in mistaken(page)


def test_two_bodies_are_a_mistake() -> None:
    async def two(one: Annotated[Project, Body()], other: Annotated[Project, Body()]) -> None: ...
    async def mixed(one: Annotated[Project, Body()], name: Annotated[str, Form()]) -> None: ...

    assert "one body" in mistaken(two)
    assert "both a form" in mistaken(mixed)


def test_a_type_that_cannot_be_validated_is_a_mistake() -> None:
    async def page(thread: Annotated[threading.Thread, Query()]) -> None: ...

    assert "pydantic cannot validate" in mistaken(page)


def test_an_annotation_that_cannot_be_resolved_is_a_mistake() -> None:
    async def page(user: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert "'Nowhere' cannot be resolved" in mistaken(page)


def test_other_mistakes_are_named_as_well() -> None:
    async def unresolvable(user: "1 + 'a'") -> None: ...  # type: ignore[valid-type]  # noqa: F821

    assert "cannot be resolved" in mistaken(unresolvable)
    with pytest.raises(InvalidSignature, match="no readable signature"):
        compile_endpoint(type("Opaque", (), {"__call__": dict.update})(), "/")
    with pytest.raises(InvalidSignature, match=r"builtins\.print"):
        compile_endpoint(print, "/")


def test_markers_show_themselves_in_messages() -> None:
    assert repr(Query("tag")).startswith("Query(alias='tag', ")
    assert repr(Depends(current_user)) == "Depends(current_user)"
    assert repr(Submitted.blank(Invitation)) == "<Submitted Invitation: 0 errors>"


def test_a_dependency_has_to_be_callable() -> None:
    async def text(user: Annotated[User, Depends("user")]) -> None: ...
    async def nothing(user: Annotated[list[int], Depends()]) -> None: ...

    assert "a function or a class" in mistaken(text)
    assert "names no dependency" in mistaken(nothing)


# Annotations that are text


async def test_string_annotations_are_resolved() -> None:
    found = await value(annotated_as_text.write_note, query="width=3", headers=JSON, body=b'{"text": "x"}')
    assert found == {"text": "x", "width": 3}


def test_an_annotation_imported_for_the_type_checker_alone_is_a_mistake() -> None:
    with pytest.raises(InvalidSignature, match="'Decimal' cannot be resolved: import it at run time"):
        compile_endpoint(annotated_as_text.price, "/")

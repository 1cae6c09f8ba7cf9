"""FastAPI on core: dependencies, and what they share with their request."""

import contextvars
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient


def client_of(*routers: APIRouter, **options: object) -> TestClient:
    app = FastAPI(**options)
    for router in routers:
        app.include_router(router)
    return TestClient(app)


class Page:
    def __init__(self, skip: int = 0, limit: int = 10) -> None:
        self.skip, self.limit = skip, limit


class Checker:
    def __init__(self, content: str) -> None:
        self.content = content

    def __call__(self, q: str = "") -> bool:
        return self.content in q


def test_classes_and_instances_are_dependencies() -> None:
    router = APIRouter()

    @router.get("/")
    async def read(page: Annotated[Page, Depends()], found: Annotated[bool, Depends(Checker("sail"))]) -> list[object]:
        return [page.skip, page.limit, found]

    assert client_of(router).get("/?skip=5&q=a+sail").json() == [5, 10, True]


def test_a_dependency_of_two_others_is_called_once() -> None:
    calls: list[str] = []
    router = APIRouter()

    def base() -> str:
        calls.append("base")
        return "base"

    def first(base: Annotated[str, Depends(base)]) -> str:
        return f"first of {base}"

    async def second(base: Annotated[str, Depends(base)], again: Annotated[str, Depends(base, use_cache=False)]) -> str:
        return f"second of {base} {again}"

    @router.get("/")
    async def read(first: Annotated[str, Depends(first)], second: Annotated[str, Depends(second)]) -> list[str]:
        return [first, second]

    assert client_of(router).get("/").json() == ["first of base", "second of base base"]
    assert calls == ["base", "base"]


def test_what_a_dependency_opened_is_closed_in_reverse_order() -> None:
    events: list[str] = []
    router = APIRouter()

    def connection() -> Iterator[str]:
        events.append("connect")
        yield "connection"
        events.append("disconnect")

    async def transaction(connection: Annotated[str, Depends(connection)]) -> AsyncIterator[str]:
        events.append("begin")
        yield f"transaction on {connection}"
        events.append("commit")

    @router.get("/")
    async def read(transaction: Annotated[str, Depends(transaction)]) -> str:
        events.append("handle")
        return transaction

    assert client_of(router).get("/").json() == "transaction on connection"
    assert events == ["connect", "begin", "handle", "commit", "disconnect"]


def test_a_dependency_sees_its_handlers_exception_and_may_answer_it() -> None:
    router = APIRouter()

    def ownership() -> Iterator[str]:
        try:
            yield "ada"
        except PermissionError as error:
            raise HTTPException(400, f"Owner error: {error}") from error

    @router.get("/")
    def read(owner: Annotated[str, Depends(ownership)]) -> str:
        raise PermissionError(owner)

    response = client_of(router).get("/")
    assert (response.status_code, response.json()) == (400, {"detail": "Owner error: ada"})


def test_a_dependency_stays_open_while_a_response_streams() -> None:
    events: list[str] = []
    router = APIRouter()

    async def connection() -> AsyncIterator[str]:
        yield "row"
        events.append("disconnect")

    @router.get("/")
    async def stream(connection: Annotated[str, Depends(connection)]) -> StreamingResponse:
        def rows() -> Iterator[str]:
            for number in range(3):
                events.append("send")
                yield f"{connection} {number}\n"

        return StreamingResponse(rows(), media_type="text/plain")

    assert client_of(router).get("/").text == "row 0\nrow 1\nrow 2\n"
    assert events == ["send", "send", "send", "disconnect"]


async def require_token(x_token: Annotated[str, Header()]) -> None:
    if x_token != "right":
        raise HTTPException(403, "The token is wrong")


@pytest.mark.parametrize("level", ["operation", "router", "application"])
def test_dependencies_for_their_effect_alone(level: str) -> None:
    guard = [Depends(require_token)]
    router = APIRouter(dependencies=guard if level == "router" else None)

    @router.get("/", dependencies=guard if level == "operation" else None)
    async def read() -> str:
        return "in"

    client = client_of(router, dependencies=guard if level == "application" else None)
    assert client.get("/").status_code == 422
    assert client.get("/", headers={"x-token": "wrong"}).status_code == 403
    assert client.get("/", headers={"x-token": "right"}).json() == "in"


def test_dependencies_are_replaced_in_tests() -> None:
    app = FastAPI()

    @app.get("/")
    async def read(page: Annotated[Page, Depends()]) -> int:
        return page.limit

    app.dependency_overrides[Page] = lambda: Page(limit=3)
    assert TestClient(app).get("/?limit=7").json() == 3


def test_handlers_that_are_no_coroutines_see_context_variables() -> None:
    person: contextvars.ContextVar[str] = contextvars.ContextVar("person")
    router = APIRouter()

    async def identify() -> None:
        person.set("ada")

    @router.get("/", dependencies=[Depends(identify)])
    def read() -> str:
        return person.get()

    assert client_of(router).get("/").json() == "ada"


def test_background_tasks_of_handlers_and_dependencies_run_in_order() -> None:
    log: list[str] = []
    router = APIRouter()

    def note_query(tasks: BackgroundTasks, q: str | None = None) -> str | None:
        tasks.add_task(log.append, f"asked for {q}")
        return q

    async def note_sent(address: str, *, text: str) -> None:
        log.append(f"{address}: {text}")

    @router.post("/send/{address}")
    async def send(address: str, tasks: BackgroundTasks, q: Annotated[str, Depends(note_query)]) -> dict[str, str]:
        tasks.add_task(note_sent, address, text="hello")
        return {"message": "sent"}

    assert client_of(router).post("/send/ada?q=x").json() == {"message": "sent"}
    assert log == ["asked for x", "ada: hello"]

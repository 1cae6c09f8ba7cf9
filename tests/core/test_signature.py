"""Which handlers are called as they are, and which are compiled, in a module whose annotations are strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

import pytest
from pydantic import BaseModel

from core._typed.signature import is_plain
from core.params import Depends, Query, depends_on
from core.requests import HTTPConnection, Request
from core.responses import Response
from core.websockets import WebSocket

if TYPE_CHECKING:
    from tests.core.elsewhere import Session, UnknownRequest  # type: ignore[import-not-found]


class Note(BaseModel):
    text: str


async def request_alone(request: Request) -> Response: ...  # type: ignore[empty-body]
async def with_a_state(request: Request[Any]) -> Response: ...  # type: ignore[empty-body]
async def websocket_alone(websocket: WebSocket) -> None: ...
async def connection(connection: HTTPConnection) -> Response: ...  # type: ignore[empty-body]
async def anything(request: Any) -> Any: ...
async def unannotated(request): ...  # type: ignore[no-untyped-def]
async def named_like_one(request: UnknownRequest) -> Response: ...  # type: ignore[empty-body]
async def whatever(*args: Any, **kwargs: Any) -> Response: ...  # type: ignore[empty-body]
async def with_an_option(request, kind="boat"): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    "handler",
    [
        *(request_alone, with_a_state, websocket_alone, connection, anything, unannotated, named_like_one, whatever),
        *(with_an_option, dict),
    ],
)
def test_what_takes_the_connection_and_no_more_is_called_as_it_is(handler: Any) -> None:
    assert is_plain(handler)


async def nothing() -> Response: ...  # type: ignore[empty-body]
async def keywords(**options: Any) -> Response: ...  # type: ignore[empty-body]
async def keyword_only(*, request: Request) -> Response: ...  # type: ignore[empty-body]
async def something_else(session: Session) -> Response: ...  # type: ignore[empty-body]
async def in_the_path(number) -> Response: ...  # type: ignore[empty-body, no-untyped-def]
async def declares_more(request: Request, page: int) -> Response: ...  # type: ignore[empty-body]
async def declares_a_default(request: Request, page: int = 1) -> Response: ...  # type: ignore[empty-body]
async def marks_a_default(request: Request, page: Annotated[int, Query()] = 1) -> Response: ...  # type: ignore[empty-body]
async def answers_data(request: Request) -> dict[str, int]: ...  # type: ignore[empty-body]
async def answers_a_model(request: Request) -> Note: ...  # type: ignore[empty-body]
async def answers_either(request: Request) -> Union[Note, Response]: ...  # type: ignore[empty-body]  # noqa: UP007
async def answers_maybe(request: Request) -> Note | None: ...
async def answers_with_a_status(request: Request) -> Annotated[str, 201]: ...  # type: ignore[empty-body]
@depends_on(Depends(nothing))
async def depends(request: Request) -> Response: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    "handler",
    [
        *(nothing, keywords, keyword_only, something_else, in_the_path),
        *(declares_more, declares_a_default, marks_a_default, depends),
        *(answers_data, answers_a_model, answers_either, answers_maybe, answers_with_a_status),
    ],
)
def test_what_declares_anything_else_is_compiled(handler: Any) -> None:
    assert not is_plain(handler, {"number"})

"""What a subclass has to provide says so when it does not."""

from collections.abc import Callable
from typing import Any

import pytest

from core.authentication import AuthenticationBackend, BaseUser, SimpleUser, UnauthenticatedUser
from core.convertors import Convertor
from core.loopback import Conversation
from core.middleware.base import BaseHTTPMiddleware
from core.requests import HTTPConnection
from core.responses import PlainTextResponse
from core.routing import BaseRoute
from core.schemas import BaseSchemaGenerator
from tests.core.connections import Sent, body_of, http_scope

CALLS: dict[str, Callable[[], Any]] = {
    "BaseUser.is_authenticated": lambda: BaseUser().is_authenticated,
    "BaseUser.display_name": lambda: BaseUser().display_name,
    "BaseUser.identity": lambda: BaseUser().identity,
    "Convertor.convert": lambda: Convertor[str]().convert("a"),
    "BaseRoute.matches": lambda: BaseRoute().matches({}),
    "BaseRoute.url_path_for": lambda: BaseRoute().url_path_for("a"),
    "BaseSchemaGenerator.get_schema": lambda: BaseSchemaGenerator().get_schema([]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_method_without_meaning_cannot_be_called(name: str) -> None:
    with pytest.raises(NotImplementedError):
        CALLS[name]()


async def test_neither_can_one_that_waits() -> None:
    with pytest.raises(NotImplementedError):
        await AuthenticationBackend().authenticate(HTTPConnection(http_scope()))
    with pytest.raises(NotImplementedError):
        await BaseRoute().handle(http_scope(), body_of(), Sent())


def test_users_are_told_apart_by_their_names() -> None:
    assert (SimpleUser("ada").identity, UnauthenticatedUser().identity) == ("ada", "")


async def test_neither_can_dispatch() -> None:
    with pytest.raises(NotImplementedError):
        await BaseHTTPMiddleware(PlainTextResponse())(http_scope(), body_of(), Sent())
    assert not await Conversation(PlainTextResponse(), http_scope()).close()

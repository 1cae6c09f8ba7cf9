"""The server that is audited: a schema with an operation of each kind."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
from graphql import build_schema

from core.applications import Starlette
from core.graphql import GraphQL
from core.routing import Route, WebSocketRoute

SCHEMA = """
type Query { hello(name: String): String ended: Int }
type Mutation { rename(name: String!): String }
type Subscription { count(to: Int!): Int forever: Int }
"""


class Root:
    """The resolvers."""

    def __init__(self) -> None:
        self.times_ended = 0

    def hello(self, info: Any, name: str = "world") -> str:
        return f"Hello, {name}"

    def ended(self, info: Any) -> int:
        return self.times_ended

    def rename(self, info: Any, name: str) -> str:
        return name

    async def count(self, info: Any, to: int) -> AsyncIterator[dict[str, int]]:
        for number in range(to):
            yield {"count": number}

    async def forever(self, info: Any) -> AsyncIterator[dict[str, int]]:
        try:
            yield {"forever": 0}
            yield {"forever": 1}
            await anyio.sleep_forever()
        finally:
            self.times_ended += 1


def application() -> Starlette:
    # The audits of variables ask for the schema.
    server = GraphQL(build_schema(SCHEMA), root_value=Root(), introspection=True)
    return Starlette(routes=[Route("/graphql", server), WebSocketRoute("/graphql", server)])

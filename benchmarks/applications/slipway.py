"""The application as a user of `core` writes it: Starlette's API, and handlers that declare what they take."""

from typing import Annotated, Any

from benchmarks.applications import starlette_api
from benchmarks.applications.orders import Order
from core.params import Body, Depends, Header, Query
from core.routing import Route


async def tenant(x_tenant: Annotated[str, Header()]) -> str:
    return x_tenant


async def order(order: Annotated[Order, Body()], tenant: Annotated[str, Depends(tenant)]) -> Order:
    return order


async def declared(
    shelf: int, number: int, limit: Annotated[int, Query()], order: Annotated[str, Query()] = "id"
) -> dict[str, Any]:
    return {"shelf": shelf, "number": number, "limit": limit, "order": order}


def create(routes: int, options: frozenset[str]) -> Any:
    typed = [Route("/orders", order, methods=["POST"]), Route("/declared/{shelf:int}/{number:int}", declared)]
    return starlette_api.create(routes, options, package="core", more=typed)

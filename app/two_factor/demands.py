"""Who demands that a person has a second factor: features further on, such as an organization whose policy says so.

A feature's routes.py may have `second_factor_demand(db, user)`, which returns the name of what demands it, or None.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from sqlalchemy.ext.asyncio import AsyncSession

from app import features
from app.accounts.models import User
from app.errors import Refusal
from app.language import N_
from core.params import Depends

Demand = Callable[[AsyncSession, User], Awaitable[str | None]]


class SecondFactorDemanded(Refusal):
    """The person's last second factor is not theirs alone to give up; `by` names whose policy demands it."""

    status_code = 409

    def __init__(self, by: str) -> None:
        super().__init__(
            N_("An organization of yours demands a second factor. Add another one before you remove this one.")
        )
        self.by = by


async def second_factor_demands() -> list[Demand]:
    """The demands of all features."""
    return [
        module.second_factor_demand
        for _, module in features.modules("routes")
        if hasattr(module, "second_factor_demand")
    ]


async def find_demand(db: AsyncSession, user: User, demands: Sequence[Demand]) -> str | None:
    """The name of the first that demands a second factor of this person, or None."""
    for demand in demands:
        if name := await demand(db, user):
            return name
    return None


Demands = Annotated[list[Demand], Depends(second_factor_demands)]

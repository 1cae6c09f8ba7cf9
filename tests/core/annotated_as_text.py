"""Handlers of a module whose annotations are strings, as `from __future__ import annotations` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel

from core.params import Body, Depends, Query

if TYPE_CHECKING:
    from decimal import Decimal


class Note(BaseModel):
    text: str


class Shelf:
    def __init__(self, width: Annotated[int, Query()]) -> None:
        self.width = width


async def write_note(note: Annotated[Note, Body()], shelf: Annotated[Shelf, Depends()]) -> dict[str, int | str]:
    return {"text": note.text, "width": shelf.width}


async def price(amount: Annotated[Decimal, Query()]) -> None: ...

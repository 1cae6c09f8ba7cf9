"""What the typed scenarios validate: a JSON body that goes in and comes out."""

from pydantic import BaseModel


class Order(BaseModel):
    name: str
    tags: list[str]
    count: int

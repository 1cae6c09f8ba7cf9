"""The form of the components' gallery: one field of every kind, so that each can be seen in every state."""

from typing import Annotated, Literal

from pydantic import Field

from app.forms import EmailAddress, Form, Line


class SpecimenForm(Form):
    """Nothing is ever done with it."""

    name: Annotated[Line, Field(max_length=60)]
    email: EmailAddress
    role: Literal["owner", "admin", "member"]
    notes: str = ""
    accepted: bool = False

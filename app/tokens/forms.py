"""What people may submit about their tokens."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.forms import Form, Line
from app.language import N_
from app.tokens.models import LONGEST_NAME
from app.tokens.scopes import all_scopes

DEFAULT_DAYS: Literal["90"] = "90"
LIFETIMES = ("7", "30", "90", "180", "365")


def _refuse_unknown(scopes: list[str]) -> list[str]:
    if not set(scopes) <= all_scopes().keys():
        raise PydanticCustomError("scopes", N_("Choose one of the options."))
    return sorted(set(scopes))


class TokenForm(Form):
    name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
    days: Literal["7", "30", "90", "180", "365"] = DEFAULT_DAYS
    scopes: Annotated[list[str], Field(min_length=1), AfterValidator(_refuse_unknown)]

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=int(self.days))

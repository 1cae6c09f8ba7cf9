"""What a person may say about themselves."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.accounts.models import LONGEST_NAME
from app.forms import LINE_PATTERN, Form, JsonBody, Line
from app.language import N_
from app.time_zones import time_zones
from app.translations import languages

Theme = Literal["system", "light", "dark"]


def _known_language(tag: str) -> str:
    if tag not in languages():
        raise PydanticCustomError("locale", N_("Choose one of the options."))
    return tag


def _known_zone(name: str) -> str:
    """Whatever the case of its letters: nobody should have to know that it is "Europe/Berlin"."""
    found = next((zone for zone in time_zones() if zone.lower() == name.lower().replace(" ", "_")), None)
    if found is None:
        raise PydanticCustomError("time_zone", N_("Choose a time zone from the list, such as Europe/Berlin."))
    return found


def _offer(choices: Callable[[], Iterable[str]]) -> Callable[[dict[str, Any]], None]:
    """Tells programs which values there are; null is one of them."""
    return lambda schema: schema.update(enum=[None, *choices()])


Language = Annotated[str, AfterValidator(_known_language)]
TimeZone = Annotated[str, Field(max_length=100), AfterValidator(_known_zone)]
Name = Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]


class ProfileForm(Form):
    name: Name
    locale: Language | None = None
    time_zone: TimeZone | None = None
    theme: Theme = "system"


class CropForm(Form):
    """Where the square lies that is cut out of a picture; nothing: in its middle."""

    crop_x: Annotated[float, Field(ge=0, le=1)] | None = None
    crop_y: Annotated[float, Field(ge=0, le=1)] | None = None
    crop_zoom: Annotated[float, Field(ge=1, le=8)] = 1


class ProfileChanges(JsonBody):
    """What can be changed about a person. What is left out stays; null means: as the browser says."""

    name: Annotated[Name, Field(json_schema_extra={"pattern": LINE_PATTERN}, examples=["Ada Lovelace"])] | None = None
    locale: Annotated[
        Language | None,
        Field(description="One of the product's languages.", examples=["de"], json_schema_extra=_offer(languages)),
    ] = None
    time_zone: Annotated[
        TimeZone | None,
        Field(description="As the tz database names it.", examples=["UTC"], json_schema_extra=_offer(time_zones)),
    ] = None
    theme: Theme | None = None

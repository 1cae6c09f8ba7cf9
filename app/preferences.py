"""The languages and time zones that people choose from, for themselves and for their organizations."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from babel import Locale
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.language import N_
from app.time_zones import time_zones
from app.translations import languages


def language_options() -> list[tuple[str, str]]:
    """The tags of the product's languages, and what each calls itself."""
    return [(tag, Locale.parse(tag).get_display_name(tag) or tag) for tag in languages()]


def offer(choices: Callable[[], Iterable[str]]) -> Callable[[dict[str, Any]], None]:  # Any: a JSON schema.
    """Tells programs which values there are; null is one of them."""
    return lambda schema: schema.update(enum=[None, *choices()])


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


Language = Annotated[str, AfterValidator(_known_language)]
TimeZone = Annotated[str, Field(max_length=100), AfterValidator(_known_zone)]

LanguageChoice = Annotated[
    Language | None,
    Field(description="One of the product's languages.", examples=["de"], json_schema_extra=offer(languages)),
]
TimeZoneChoice = Annotated[
    TimeZone | None,
    Field(description="As the tz database names it.", examples=["UTC"], json_schema_extra=offer(time_zones)),
]
"""What programs may submit; null takes the choice back."""

"""What a person may say about themselves."""

from typing import Annotated, Literal

from pydantic import Field

from app.accounts.models import LONGEST_NAME
from app.forms import LINE_PATTERN, Form, JsonBody, Line
from app.preferences import Language, LanguageChoice, TimeZone, TimeZoneChoice

Theme = Literal["system", "light", "dark"]


Name = Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]


class ProfileForm(Form):
    name: Name
    locale: Language | None = None
    time_zone: TimeZone | None = None
    theme: Theme = "system"


class ProfileChanges(JsonBody):
    """What can be changed about a person. What is left out stays; null means: as the browser says."""

    name: Annotated[Name, Field(json_schema_extra={"pattern": LINE_PATTERN}, examples=["Ada Lovelace"])] | None = None
    locale: LanguageChoice = None
    time_zone: TimeZoneChoice = None
    theme: Theme | None = None

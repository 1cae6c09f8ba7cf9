"""What every form of the product shares: cleaned text, one kind of e-mail address, messages in the reader's language."""

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, LiteralString, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from app.language import N_
from app.language import gettext as _

LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3: a path is at most 256 octets, of which two are the angle brackets.
LONGEST_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_PART_MARKS = frozenset("!#$%&'*+/=?^_`{|}~-.")


class Form(BaseModel):
    """A model of what a person may submit: the fields it names and no others, stripped of surrounding blanks."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True, frozen=True)

    @classmethod
    def describe_error(cls, error: ErrorDetails) -> str:
        """Say in the reader's language what is wrong with a field and how to mend it."""
        return describe(error["type"], error.get("ctx") or {}, error["msg"])


class EmptyIsNone:
    """Has a field of a form that was left empty count as no value, and says so in the schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # Any: a type.
        return core_schema.no_info_before_validator_function(
            lambda value: None if value == "" else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        return {"anyOf": [*described["anyOf"], {"const": ""}]}


class JsonBody(BaseModel):
    """A model of what a program may submit: exactly the fields it names, each of its own type and no other."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        str_strip_whitespace=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        frozen=True,
    )


def describe(kind: str, context: dict[str, Any], fallback: str) -> str:
    """The sentence for an error of pydantic's `kind`; `fallback` for kinds that name their own sentence."""
    match kind:
        case "missing" | "string_type" | "none_required":
            return _("Enter a value.")
        case "too_short" if context.get("field_type") == "List":
            return _("Choose at least %(count)s.") % {"count": context["min_length"]}
        case "string_too_short" | "too_short":  # The second kind: a text that a validator has cleaned before.
            return _("Use at least %(count)s characters.") % {"count": context["min_length"]}
        case "string_too_long" | "too_long":
            return _("Use at most %(count)s characters.") % {"count": context["max_length"]}
        case "literal_error" | "enum":
            return _("Choose one of the options.")
        case "date_parsing" | "date_from_datetime_parsing":
            return _("Enter a day as year, month and day: 2030-12-31.")
        case "bool_parsing" | "int_parsing" | "float_parsing":
            return _("This value has the wrong form. Check it and try again.")
        case _:
            return _(fallback)


def _clean_line(value: object) -> object:
    return _clean(value, "", N_("Remove the control characters and line breaks.")) if isinstance(value, str) else value


def _clean_text(value: object) -> object:
    """Lines end as in every text of ours; browsers send two characters for each end. Nothing else may steer a terminal."""
    if not isinstance(value, str):
        return value
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return _clean(lines, "\n\t", N_("Remove the control characters."))


def _clean(text: str, kept: str, refusal: LiteralString) -> str:
    """The text in NFC. Refuses control characters but those that are `kept`, and halves of a surrogate pair."""
    text = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in kept for character in text):
        raise PydanticCustomError("control_characters", refusal)
    return text


def _as_integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_written(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date_parsing", "Enter a day as year, month and day: 2030-12-31.")


def _clean_address(value: str) -> str:
    """Check an address by the shape that mail servers accept, and write its domain in ASCII and lower case (IDNA)."""
    local, at, domain = value.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_domain = ""
    address = f"{local}@{ascii_domain}"
    if not (at and _is_local_part(local) and _is_domain(ascii_domain) and len(address) <= LONGEST_ADDRESS):
        raise PydanticCustomError("email", "Enter an e-mail address, such as name@example.com.")
    return address


def _is_local_part(text: str) -> bool:
    allowed = all((c.isascii() and c.isalnum()) or c in _LOCAL_PART_MARKS for c in text)
    return 0 < len(text) <= LONGEST_LOCAL_PART and allowed and all(text.split("."))


def _is_domain(text: str) -> bool:
    labels = text.split(".")
    return len(labels) >= 2 and not labels[-1].isdigit() and all(_is_label(label) for label in labels)


def _is_label(text: str) -> bool:
    return 0 < len(text) <= 63 and text.strip("-") == text and all(c.isalnum() or c == "-" for c in text)


# The same rule in the words of JSON Schema: no control character, and something other than blanks.
LINE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*$"

Line = Annotated[str, BeforeValidator(_clean_line), Field(json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"})]
"""One line of text: normalized to NFC, without control characters."""

Day = Annotated[date, BeforeValidator(_as_written)]
"""A day as RFC 3339 writes it. pydantic alone would take a number for seconds since 1970."""

WHOLE = BeforeValidator(_as_integer)
"""After an integer's limits: JSON may write it as 7.0 all the same (JSON Schema 2020-12, section 6.1.1 of validation)."""

Value = TypeVar("Value")
OrEmpty = Annotated[Value | None, EmptyIsNone()]
"""A value of a form that may stay empty, as in a filter."""

Text = Annotated[
    str,
    BeforeValidator(_clean_text),
    Field(json_schema_extra={"pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"}),
]
"""Lines of text, each ended by a line feed: normalized to NFC, without other control characters than tabs."""

EmailAddress = Annotated[Line, Field(max_length=LONGEST_ADDRESS), AfterValidator(_clean_address)]
"""An e-mail address as mail servers accept it, its domain in ASCII and lower case."""

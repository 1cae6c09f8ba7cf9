"""A form that is shown again with what was typed and what was wrong with it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from core._typed.inputs import AsyncReader, Gather, Resolution, alias_of, values_of
from core._typed.markers import Form
from core.datastructures import FormData, UploadFile

ModelT = TypeVar("ModelT", bound=BaseModel)

# Plain words for the errors people meet; a model's `describe_error` says it in the product's own, translated.
MESSAGES = {
    "missing": "This field is required.",
    "string_too_short": "Use at least {min_length} characters.",
    "string_too_long": "Use at most {max_length} characters.",
    "string_pattern_mismatch": "This does not have the expected form.",
    "int_parsing": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "float_parsing": "Enter a number.",
    "decimal_parsing": "Enter a number.",
    "bool_parsing": "Choose yes or no.",
    "date_from_datetime_parsing": "Enter a date.",
    "date_parsing": "Enter a date.",
    "datetime_parsing": "Enter a date and a time.",
    "datetime_from_date_parsing": "Enter a date and a time.",
    "uuid_parsing": "This is not a valid identifier.",
    "url_parsing": "Enter a complete address, such as https://example.com.",
    "greater_than": "Enter a value above {gt}.",
    "greater_than_equal": "Enter a value of at least {ge}.",
    "less_than": "Enter a value below {lt}.",
    "less_than_equal": "Enter a value of at most {le}.",
    "literal_error": "Choose one of the offered values.",
    "enum": "Choose one of the offered values.",
    "too_short": "Choose at least {min_length}.",
    "too_long": "Choose at most {max_length}.",
    "extra_forbidden": "This field is not expected.",
    "is_instance_of": "Choose a file.",
}


class InvalidSubmission(ValueError):
    """The data of a form was asked for although the form has errors, or was never submitted."""


class Submitted(Generic[ModelT]):
    """A submitted form: `data`, the validated model, or `errors` and the `values` as they were typed.

    `values` never holds a field of a secret type: a password is not sent back to the browser. `errors` has the messages by
    field; those under `""` concern the form as a whole. Empty values count as not given. A `Submitted.blank(Model)` has
    neither data nor errors, for the page that shows the form first.
    """

    def __init__(self, model: type[ModelT], values: dict[str, Any], data: ModelT | None = None) -> None:
        self.model = model
        self.values = values
        self.errors: dict[str, list[str]] = {}
        self._data = data

    @classmethod
    def blank(cls, model: type[ModelT], **initial: Any) -> Submitted[ModelT]:
        """A form that was not submitted yet, with the values it first shows."""
        hidden = secret_fields(model)
        return cls(model, {name: value for name, value in initial.items() if name not in hidden})

    @property
    def is_valid(self) -> bool:
        return self._data is not None and not self.errors

    @property
    def data(self) -> ModelT:
        """The validated model. Raises InvalidSubmission when there are errors: check `is_valid` first."""
        if self._data is None or self.errors:
            raise InvalidSubmission(f"{self.model.__name__} has no valid data: check `is_valid` before reading `data`")
        return self._data

    @property
    def error_count(self) -> int:
        return sum(len(messages) for messages in self.errors.values())

    def add_error(self, field: str, message: str) -> None:
        """Add what only the handler could find out; `field` is `""` for the form as a whole."""
        self.errors.setdefault(field, []).append(message)

    def __repr__(self) -> str:
        return f"<Submitted {self.model.__name__}: {self.error_count} errors>"


def submitted_reader(model: type[ModelT]) -> AsyncReader:
    """The reader of a parameter annotated `Submitted[model]`."""
    gather = Gather(model, Form(), drop_empty=True)
    shown = shown_fields(model, gather)

    async def read(run: Resolution) -> Submitted[ModelT]:
        form = await run.read_form()
        return submit(model, gather(form), typed_values(form, shown))

    return read


def submit(model: type[ModelT], given: dict[str, Any], values: dict[str, Any]) -> Submitted[ModelT]:
    """Validate what was given; every error becomes a message under its field."""
    try:
        return Submitted(model, values, model.model_validate(given))
    except ValidationError as error:
        form = Submitted(model, values)
        message = getattr(model, "describe_error", plain_message)
        for detail in error.errors(include_url=False):
            form.add_error(".".join(str(part) for part in detail["loc"]), message(detail))
        return form


def typed_values(form: FormData, fields: dict[str, bool]) -> dict[str, Any]:
    """What was typed into the fields: text, or a list where several values are meant. No files."""
    values: dict[str, Any] = {}
    for name, many in fields.items():
        texts = [value for value in form.getlist(name) if not isinstance(value, UploadFile)]
        if texts:
            values[name] = texts if many else texts[-1]
    return values


def shown_fields(model: type[BaseModel], gather: Gather) -> dict[str, bool]:
    """The names, as submitted, of the fields that may be shown again, and whether they take several values."""
    hidden = secret_fields(model)
    return {wire: find is values_of for wire, _, find, _ in gather.fields if wire not in hidden}


def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """The names, as submitted, of a model's fields that hold secrets."""
    secret = ((name, field) for name, field in model.model_fields.items() if _holds_secret(field.annotation))
    return frozenset(each for name, field in secret for each in (name, alias_of(field) or name))


def _holds_secret(annotation: Any) -> bool:
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, SecretStr | SecretBytes | Secret):
        return True
    return any(_holds_secret(member) for member in get_args(annotation))


def plain_message(error: ErrorDetails) -> str:
    """One sentence for a person. A validator's own ValueError is taken at its word."""
    context = error.get("ctx", {})
    if error["type"] in ("value_error", "assertion_error") and "error" in context:
        return str(context["error"])
    template = MESSAGES.get(error["type"])
    return error["msg"] if template is None else template.format_map(context)

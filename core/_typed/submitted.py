"""A form that is shown again with what was typed and what was wrong with it."""

from typing import Any, Generic, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from core._typed.inputs import Gather, Reader, Resolution, alias_of, values_of
from core._typed.markers import Form
from core.datastructures import FormData, UploadFile

ModelT = TypeVar("ModelT", bound=BaseModel)


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
    def blank(cls, model: type[ModelT], **initial: Any) -> Self:
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


def submitted_reader(model: type[ModelT]) -> Reader:
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
    """One sentence in English: a validator's own ValueError at its word, else pydantic's."""
    cause = error.get("ctx", {}).get("error")
    return str(cause) if isinstance(cause, Exception) else error["msg"]

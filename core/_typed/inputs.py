"""Reading the values of a request and validating them with pydantic.

A reader is made when the route is built and called once per request. A bad value is added to `Resolution.errors` and read as
`FAILED`, so that one answer can name everything that is wrong.
"""

import json
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from core._headers import media_type_of
from core._typed.markers import Body, File, Form, Header, Input, Query
from core._typed.signature import InvalidSignature, Parameter
from core.concurrency import run_in_threadpool
from core.datastructures import FormData, UploadFile
from core.formparsers import FORM_TYPES
from core.problems import Problem

Reader = Callable[["Resolution"], Any]

FAILED: Any = object()
# Where each kind of value stands on the connection.
SOURCES = {"query": "query_params", "header": "headers", "cookie": "cookies"}
JSON_TYPE = re.compile(r"application/(?:.*\+)?json", re.DOTALL)
PARSED_IN_A_THREAD_FROM = 64 * 1024
# Possessive, and an unfinished string runs to the end: every byte is looked at once, whatever the body is.
STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
BRACKET = re.compile(rb"[\[\]{}]")
COLLECTIONS = (list, set, frozenset, tuple, Sequence, Iterable)


class Resolution:
    """One request on its way through a plan: what was read, what failed, what is still to be finished."""

    __slots__ = ("connection", "errors", "form", "generators", "given", "results")

    def __init__(self, connection: Any, given: Mapping[str, Any]) -> None:
        # A Request or a WebSocket; which one is known only to the handler's author: hence Any.
        self.connection = connection
        self.given = given
        self.results: list[Any] = []
        self.errors: list[dict[str, Any]] = []
        self.generators: list[Any] = []
        self.form: FormData | None = None

    async def read_form(self) -> FormData:
        """The form of the request, parsed once; closed when the handler has returned. Raises Problem (415)."""
        if self.form is None:
            content_type: str = self.connection.headers.get("content-type", "")
            if content_type and media_type_of(content_type) not in FORM_TYPES:
                raise Problem(415, "Send a form: application/x-www-form-urlencoded or multipart/form-data.")
            self.form = await self.connection.form()
        return self.form

    def fail(self, place: str, error: ValidationError, *name: str) -> Any:
        """Note what pydantic says about a value, and give `FAILED`. Never repeats the input: it may be a secret."""
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            self.errors.append(input_error(place, (*name, *detail["loc"]), detail["type"], detail["msg"]))
        return FAILED

    def miss(self, parameter: Parameter, place: str, *name: str) -> Any:
        """The default of a value that was not given. If it has none, note that it is required, and give `FAILED`."""
        if parameter.is_required:
            self.errors.append(input_error(place, name, "missing", "Field required"))
            return FAILED
        return parameter.default


def input_error(place: str, location: Iterable[int | str], code: str, detail: str) -> dict[str, Any]:
    """One entry of a problem's `errors`, with a JSON pointer in its URI fragment form (RFC 6901, section 6)."""
    pointer = "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return {"in": place, "pointer": pointer, "code": code, "detail": detail}


def input_reader(function: object, parameter: Parameter, marker: Input) -> Reader:
    """The reader of a marked parameter. What it gives is awaited if the value stands in the body."""
    if isinstance(marker, Body):
        return _body_reader(function, parameter, marker)
    if isinstance(marker, File):
        return _file_reader(parameter, marker)
    take = _take_model(parameter, marker) if is_model(parameter.bare) else _take_value(function, parameter, marker)
    if isinstance(marker, Form):

        async def read_form(run: Resolution) -> Any:
            return take(await run.read_form(), run)

        return read_form
    source = attrgetter(SOURCES[marker.place])
    return lambda run: take(source(run.connection), run)


Take = Callable[[Any, Resolution], Any]


def is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def takes_many(annotation: Any) -> bool:
    """Whether a value given several times is meant: `list[str]`, `set[UUID] | None`, `Annotated[tuple[int, ...], ...]`."""
    origin = get_origin(annotation)
    if origin in (Annotated, Union, types.UnionType):
        return any(takes_many(member) for member in get_args(annotation))
    return (origin or annotation) in COLLECTIONS


def adapter(function: object, name: str, annotation: Any) -> TypeAdapter[Any]:
    """pydantic's adapter of an annotation. Raises InvalidSignature where it has none."""
    try:
        return TypeAdapter(annotation)
    except PydanticSchemaGenerationError:
        raise InvalidSignature(function, f"{name!r}: pydantic cannot validate {annotation!r}") from None


def wire_name(name: str, alias: str | None, marker: Input) -> str:
    """The name that a parameter or field has in the request."""
    if alias is not None:
        return alias
    return name.replace("_", "-") if isinstance(marker, Header) else name


def _take_value(function: object, parameter: Parameter, marker: Input) -> Take:
    name = wire_name(parameter.name, marker.alias, marker)
    find = values_of if takes_many(parameter.annotation) else value_of
    check = checked(
        adapter(function, parameter.name, parameter.annotation).validator.validate_python, marker.place, name
    )
    plain = parameter.annotation is str or (parameter.bare is str and parameter.annotation.__metadata__ == (marker,))

    def take(source: Any, run: Resolution) -> Any:
        value = find(source, name)
        if value is None or (value == "" and not parameter.is_required):
            return run.miss(parameter, marker.place, name)
        return value if plain and isinstance(value, str) else check(value, run)

    return take


def checked(validate: Callable[[Any], Any], place: str, *name: str) -> Take:
    """A value as pydantic makes it, or `FAILED` with what is wrong with it noted."""

    def check(value: Any, run: Resolution) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            return run.fail(place, error, *name)

    return check


def value_of(source: Any, name: str) -> Any:
    """The value given last, or None."""
    return source.get(name)


def values_of(source: Any, name: str) -> list[Any] | None:
    """Every value given, or None where there is none. A cookie has one."""
    if hasattr(source, "getlist"):
        return source.getlist(name) or None
    return [source[name]] if name in source else None


def _take_model(parameter: Parameter, marker: Input) -> Take:
    model: type[BaseModel] = parameter.bare
    gather = Gather(model, marker)
    check = checked(model.__pydantic_validator__.validate_python, marker.place)
    return lambda source, run: check(gather(source), run)


class Gather:
    """How a model's fields are collected from a request's names and values.

    An empty value of a field that may be left out counts as left out, as HTML forms send it; with `drop_empty` any empty
    value does. A model that forbids extra fields is shown every other name too, so that it refuses them; in a query it is
    shown empty values as well, because it takes what a program sends to the letter.
    """

    def __init__(self, model: type[BaseModel], marker: Input, *, drop_empty: bool = False) -> None:
        self.forbids = model.model_config.get("extra") == "forbid" and not isinstance(marker, Header)
        to_the_letter = self.forbids and isinstance(marker, Query)
        self.fields: list[tuple[str, str, Callable[[Any, str], Any], bool]] = []
        for name, field in model.model_fields.items():
            find = values_of if takes_many(field.annotation) else value_of
            keeps_empty = to_the_letter or (field.is_required() and not drop_empty)
            alias = alias_of(field)
            self.fields.append((wire_name(name, alias, marker), alias or name, find, keeps_empty))
        self.known = {wire for wire, *_ in self.fields}

    def __call__(self, source: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for wire, key, find, keeps_empty in self.fields:
            found = find(source, wire)
            value = found if keeps_empty else _without_empty(found)
            if value is not None:
                values[key] = value
        if self.forbids:
            values.update({name: source[name] for name in source if name not in self.known})
        return values


def alias_of(field: FieldInfo) -> str | None:
    """The name under which a model's field is given, where it is not its own."""
    alias = field.validation_alias or field.alias
    return alias if isinstance(alias, str) else None


def _without_empty(value: Any) -> Any:
    """None for a control that was left empty: no text, no chosen item, a file control without a file."""
    if isinstance(value, list):
        return [item for item in value if _without_empty(item) is not None] or None
    return None if value == "" or (isinstance(value, UploadFile) and not value.filename) else value


def _file_reader(parameter: Parameter, marker: Input) -> Reader:
    name = wire_name(parameter.name, marker.alias, marker)
    many, in_memory = takes_many(parameter.annotation), parameter.bare is bytes
    of_files = TypeAdapter(parameter.annotation, config=ConfigDict(arbitrary_types_allowed=True))
    check = checked(of_files.validator.validate_python, marker.place, name)

    async def read(run: Resolution) -> Any:
        files = given_files(await run.read_form(), name)
        if not files:
            return run.miss(parameter, marker.place, name)
        return check(files if many else await files[-1].read() if in_memory else files[-1], run)

    return read


def given_files(form: FormData, name: str) -> list[UploadFile]:
    """The files under a name. A file field that was left empty is sent by browsers as a part without name and content."""
    return [file for file in form.getlist(name) if isinstance(file, UploadFile) and file.filename]


def _body_reader(function: object, parameter: Parameter, marker: Body) -> Reader:
    if parameter.bare is bytes:
        return lambda run: run.connection.body()
    validate = adapter(function, parameter.name, parameter.annotation).validator.validate_json

    async def read(run: Resolution) -> Any:
        body: bytes = await run.connection.body()
        if not body:
            return run.miss(parameter, marker.place)
        require_json(run.connection.headers.get("content-type", ""))
        require_bounds(body, marker)
        try:
            value = await parsed(validate, body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            if first["type"] == "json_invalid":
                raise Problem(400, f"The body is not valid JSON. {first['msg']}.") from None
            return run.fail(marker.place, error)
        if marker.unique_names and await parsed(has_repeated_names, body):
            run.errors.append(input_error(marker.place, (), "repeated_name", "A name is given twice in one object."))
            return FAILED
        return value

    return read


async def parsed(parse: Callable[[bytes], Any], body: bytes) -> Any:
    """What `parse` makes of a body: in a thread where that would hold up the event loop."""
    return await run_in_threadpool(parse, body) if len(body) > PARSED_IN_A_THREAD_FROM else parse(body)


def require_json(content_type: str) -> None:
    """Refuse anything that was not declared as JSON: a form of another site can send text/plain. Raises Problem (415)."""
    if JSON_TYPE.fullmatch(media_type_of(content_type)) is None:
        raise Problem(415, "Send the body as application/json.")


def require_bounds(body: bytes, limits: Body) -> None:
    """Refuse a body that is nested too deep or has too many values, before parsing costs anything. Raises Problem (400)."""
    # Counting the bytes that could nest or separate, strings included, settles nearly every body.
    openings = body.count(b"[") + body.count(b"{")
    if openings <= limits.max_depth and openings + body.count(b",") <= limits.max_elements:
        return
    structure = STRING.sub(b"", body)
    if structure.count(b",") + structure.count(b"[") + structure.count(b"{") > limits.max_elements:
        raise Problem(400, f"The body has more than {limits.max_elements} values.")
    depths = accumulate(1 if bracket in b"[{" else -1 for bracket in BRACKET.findall(structure))
    if max(depths, default=0) > limits.max_depth:
        raise Problem(400, f"The body is nested deeper than {limits.max_depth} levels.")


def has_repeated_names(body: bytes) -> bool:
    """Whether an object of a valid JSON text has two members of one name, of which every parser may take another."""
    found: list[bool] = []

    def note(members: list[tuple[str, Any]]) -> None:
        found.append(len(dict(members)) < len(members))

    # Nobody needs the values, and Python refuses integers of thousands of digits.
    json.loads(body, object_pairs_hook=note, parse_int=len, parse_float=len)
    return any(found)

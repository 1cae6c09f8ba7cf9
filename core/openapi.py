"""The OpenAPI 3.1 description of an application, from its routes and the signatures of their handlers.

    document = openapi_document(app.routes, title="Slipway", version="1", under="/api")

Parameters, bodies, answers, refusals and security come from the code; nothing is written twice. A handler's docstring is its
summary and description, the part of a route's name before the dot its tag. `operation` says what the code cannot.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core.core_schema import IsInstanceSchema

from core._paths import PARAMETER
from core._typed.inputs import alias_of, is_model, takes_many, wire_name
from core._typed.markers import Body, File, Input, Path
from core._typed.plan import Plan
from core._typed.signature import EMPTY, Parameter
from core.datastructures import UploadFile
from core.params import declared_answer, dependencies_of
from core.problems import PROBLEM_MEDIA_TYPE, phrase_of
from core.responses import Response
from core.routing import BaseRoute, Route
from core.schemas import documented

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])
Schema = dict[str, Any]

OPERATION_ATTRIBUTE = "__openapi_operation__"
SCHEMA_ADDRESS = "#/components/schemas/{model}"
# The schemas of path values by their convertor.
CONVERTED: dict[str, Any] = {
    "int": {"type": "integer", "minimum": 0},
    "float": {"type": "number", "minimum": 0},
    "uuid": {"type": "string", "format": "uuid"},
}


UPLOADED: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
TEXT: Schema = {"type": "string"}
REFERENCE: Schema = {"type": "string", "format": "uri-reference"}


@dataclass(frozen=True)
class operation:  # noqa: N801 (a decorator)
    """Describe a handler: other tags, refusals it raises by their status, headers it sends (`Link`, `Retry-After`)."""

    summary: str | None = None
    _: KW_ONLY
    tags: Sequence[str] = ()
    deprecated: bool = False
    refusals: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False

    def __call__(self, endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, OPERATION_ATTRIBUTE, self)
        return endpoint


def openapi_document(
    routes: Iterable[BaseRoute],
    *,
    title: str,
    version: str,
    description: str = "",
    servers: Sequence[str] = (),
    under: str = "",
    security_schemes: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The document of the routes below the path `under`.

    A dependency whose class has `openapi_security`, a mapping of a scheme's name to its scopes, secures its operations; the
    schemes themselves are given in `security_schemes`. Raises InvalidSignature.
    """
    schemas = Schemas()
    paths: dict[str, Schema] = {}
    for path, route, functions in documented(routes):
        for method, function in functions.items():
            if path.startswith(under) and not operation_of(function).hidden:
                name = route.name if len(functions) == 1 else f"{route.name}.{method}"
                members = Described(path, route, function, schemas).members()
                paths.setdefault(PARAMETER.sub(r"{\1}", path), {})[method] = {"operationId": name, **members}
    components: Schema = {"schemas": schemas.fill() | {"Problem": PROBLEM}, "securitySchemes": security_schemes}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, **given(description=description)},
        "paths": paths,
        "components": given(**components),
        **given(servers=[{"url": url} for url in servers]),
    }


def given(**members: Any) -> Schema:
    """The members that say something."""
    return {name: value for name, value in members.items() if value}


def object_of(required: Sequence[str], properties: Mapping[str, Schema], description: str = "") -> Schema:
    """The schema of an object."""
    return {"type": "object", **given(description=description, required=required), "properties": properties}


ERROR = object_of(["in", "pointer", "code", "detail"], dict.fromkeys(("in", "pointer", "code", "detail"), TEXT))
DETAILS: Schema = {"detail": TEXT, "instance": REFERENCE, "errors": {"type": "array", "items": ERROR}}
PROBLEM = object_of(
    ["type", "title", "status"],
    {"type": REFERENCE, "title": TEXT, "status": {"type": "integer"}, **DETAILS},
    "A refusal (RFC 9457).",
)


def operation_of(function: Callable[..., Any]) -> operation:
    """What was said of a handler beside its code."""
    found: operation = getattr(function, OPERATION_ATTRIBUTE, operation())
    return found


class SchemaGenerator(GenerateJsonSchema):
    """pydantic's schemas, with uploaded files in the forms that hold them."""

    def is_instance_schema(self, schema: IsInstanceSchema) -> JsonSchemaValue:
        if issubclass(schema["cls"], UploadFile):
            return dict(UPLOADED)
        return super().is_instance_schema(schema)


class Schemas:
    """The JSON schemas of every type in the document, generated together so that they share their definitions."""

    def __init__(self) -> None:
        self.wanted: list[tuple[int, JsonSchemaMode, TypeAdapter[Any]]] = []
        self.places: list[Schema] = []

    def want(self, annotation: Any, mode: JsonSchemaMode = "validation", **further: Any) -> Schema:
        """The place of a type's schema, with further members. It is empty until `fill`."""
        self.wanted.append((len(self.places), mode, TypeAdapter(annotation)))
        self.places.append(further)
        return further

    def fill(self) -> dict[str, Schema]:
        """Complete every schema that was asked for; returns the definitions that they refer to."""
        found, definitions = TypeAdapter.json_schemas(
            self.wanted, ref_template=SCHEMA_ADDRESS, schema_generator=SchemaGenerator
        )
        for (key, _), schema in found.items():
            schema.pop("title", None)
            self.places[key].update({**schema, **self.places[key]})
        return dict(definitions.get("$defs", {}))


class Described:
    """One handler's operation, with schemas that are filled in when the whole document is known."""

    def __init__(self, path: str, route: Route, function: Callable[..., Any], schemas: Schemas) -> None:
        self.route = route
        self.function = function
        self.schemas = schemas
        instance = list(inspect.signature(function).parameters)[:1] if inspect.isclass(route.endpoint) else ()
        self.plan = Plan(function, path, dependencies=route.dependencies, given=instance)
        self.inputs = list(self.plan.inputs())
        self.body = self._body()
        self.security = self._security()

    def members(self) -> Schema:
        """The operation's members, except for its name."""
        described = operation_of(self.function)
        summary, _, description = inspect.cleandoc(self.function.__doc__ or "").partition("\n")
        feature, dot, _ = self.route.name.partition(".")
        return given(
            summary=described.summary or summary,
            description=description.strip(),
            tags=list(described.tags) or [feature] * bool(dot),
            deprecated=described.deprecated,
            parameters=[*self._path_parameters(), *self._marked_parameters()],
            requestBody=self.body,
            security=self.security,
            responses=self._responses(),
        )

    def _security(self) -> list[dict[str, list[str]]]:
        required: dict[str, list[str]] = {}
        for dependency in dependencies_of(self.function, behind=self.route.dependencies):
            schemes: Mapping[str, Sequence[str]] = getattr(dependency, "openapi_security", {})
            for name, scopes in schemes.items():
                required.setdefault(name, []).extend(scopes)
        return [required] if required else []

    # Parameters.

    def _path_parameters(self) -> Iterator[Schema]:
        unmarked = [each for each in self.plan.signature.parameters if each.is_annotated and each.marker is None]
        annotations = {each.name: each.annotation for each in unmarked}
        for name, convertor in self.plan.path_parameters.items():
            is_validated = convertor == "str" and name in annotations
            schema = self.schemas.want(annotations[name]) if is_validated else dict(CONVERTED.get(convertor, TEXT))
            yield parameter_of(name, "path", True, schema)

    def _marked_parameters(self) -> Iterator[Schema]:
        for parameter, marker in self.inputs:
            if marker.place not in ("query", "header", "cookie"):
                continue
            if is_model(parameter.bare):
                yield from (self._field(name, info, marker) for name, info in parameter.bare.model_fields.items())
            else:
                default = {} if parameter.default in (EMPTY, None) else {"default": parameter.default}
                schema = self.schemas.want(parameter.annotation, **default)
                yield parameter_of(wire_name_of(parameter, marker), marker.place, parameter.is_required, schema, marker)

    def _field(self, name: str, info: FieldInfo, marker: Input) -> Schema:
        wire, schema = wire_name(name, alias_of(info), marker), self.schemas.want(Annotated[info.annotation, info])
        return parameter_of(wire, marker.place, info.is_required(), schema, Input(description=info.description or ""))

    # Bodies.

    def _body(self) -> Schema | None:
        form = [(parameter, marker) for parameter, marker in self.inputs if marker.place == "form"]
        if form:
            return self._form_body(form)
        return next((self._json_body(*each) for each in self.inputs if isinstance(each[1], Body)), None)

    def _json_body(self, parameter: Parameter, marker: Input) -> Schema:
        if parameter.bare is bytes:
            return {"required": parameter.is_required, "content": {"*/*": {}}}
        return body_of("application/json", self.schemas.want(parameter.annotation), parameter.is_required, marker)

    def _form_body(self, fields: list[tuple[Parameter, Input]]) -> Schema:
        has_files = any(isinstance(marker, File) for _, marker in fields)
        media_type = "multipart/form-data" if has_files else "application/x-www-form-urlencoded"
        for parameter, marker in fields:
            if is_model(parameter.bare):
                return body_of(media_type, self.schemas.want(parameter.annotation), True, marker)
        properties = {wire_name_of(*each): self._form_field(*each) for each in fields}
        required = [wire_name_of(parameter, marker) for parameter, marker in fields if parameter.is_required]
        return body_of(media_type, object_of(required, properties), bool(required))

    def _form_field(self, parameter: Parameter, marker: Input) -> Schema:
        if not isinstance(marker, File):
            return self.schemas.want(parameter.annotation)
        return {"type": "array", "items": UPLOADED} if takes_many(parameter.annotation) else UPLOADED

    # Responses.

    def _responses(self) -> Schema:
        declared, status = declared_answer(self.plan.signature.returns)
        answer: Schema = {"description": phrase_of(status)}
        if declared not in (EMPTY, Response, None, type(None)):
            answer["content"] = {"application/json": {"schema": self.schemas.want(declared, "serialization")}}
        texts = operation_of(self.function).headers
        headers = {name: {"description": text, "schema": TEXT} for name, text in texts.items()}
        problem = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": SCHEMA_ADDRESS.format(model="Problem")}}}
        responses = {str(status): answer | given(headers=headers)}
        for status, meaning in sorted(self._refusals().items()):
            responses[str(status)] = {"description": meaning or phrase_of(status), "content": problem}
        return responses

    def _refusals(self) -> dict[int, str]:
        """What the signature makes possible, and what `operation` adds."""
        refusals: dict[int, str] = {}
        if any(not isinstance(marker, Path) for _, marker in self.inputs):
            refusals[422] = "Some values of the request are not valid."
        if self.body is not None:
            refusals |= {413: "", 415: ""}
        if any(isinstance(marker, Body) for _, marker in self.inputs):
            refusals[400] = "The body is not valid JSON."
        if self.plan.path_parameters:
            refusals[404] = ""
        if self.security:
            refusals |= {401: "", 403: ""}
        return refusals | dict(operation_of(self.function).refusals)


def wire_name_of(parameter: Parameter, marker: Input) -> str:
    return wire_name(parameter.name, marker.alias, marker)


def parameter_of(name: str, place: str, required: bool, schema: Schema, about: Input | None = None) -> Schema:
    described: Schema = {"name": name, "in": place, "required": required, "schema": schema}
    if about is not None:
        described |= given(description=about.description, example=about.example, deprecated=about.deprecated)
    return described


def body_of(media_type: str, schema: Schema, required: bool, marker: Input | None = None) -> Schema:
    about = marker or Input()
    content = {"schema": schema} | ({} if about.example is None else {"example": about.example})
    return {"required": required, "content": {media_type: content}, **given(description=about.description)}

"""The OpenAPI 3.1 description of an application, from its routes and the signatures of their handlers.

    document = openapi_document(app.routes, title="Slipway", version="1", under="/api")

Parameters, bodies, answers, refusals and security come from the code; nothing is written twice. A handler's docstring is its
summary and description, the part of a route's name before the dot its tag. `operation` says what the code cannot.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core.core_schema import IsInstanceSchema

from core._typed.answers import declared_answer
from core._typed.inputs import is_model, takes_many, wire_name
from core._typed.markers import Body, File, Input, Path
from core._typed.plan import PATH_PARAMETER, Plan
from core._typed.signature import EMPTY, Parameter
from core.datastructures import UploadFile
from core.endpoints import HTTPEndpoint
from core.params import dependencies_of
from core.problems import PROBLEM_MEDIA_TYPE, phrase_of
from core.responses import JSONResponse, Response
from core.routing import BaseRoute, Mount, Route

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
PROBLEM: Schema = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("in", "pointer", "code", "detail")},
            },
        },
    },
}


@dataclass(frozen=True)
class Operation:
    """What `operation` says of a handler."""

    summary: str | None = None
    tags: Sequence[str] = ()
    is_deprecated: bool = False
    # Further refusals by status, with what they mean; headers of the answer by name, with their description.
    refusals: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_hidden: bool = False


def operation(
    summary: str | None = None,
    *,
    tags: Sequence[str] = (),
    deprecated: bool = False,
    refusals: Mapping[int, str] | None = None,
    headers: Mapping[str, str] | None = None,
    hidden: bool = False,
) -> Callable[[EndpointT], EndpointT]:
    """Describe a handler: other tags, refusals it raises, headers it sends (`Link`, `Retry-After`)."""
    described = Operation(summary, tags, deprecated, refusals or {}, headers or {}, hidden)

    def attach(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, OPERATION_ATTRIBUTE, described)
        return endpoint

    return attach


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
    operations = [
        Described(path, route, handler, schemas)
        for path, route in documented_routes(routes)
        if path.startswith(under)
        for handler in handlers_of(route)
    ]
    schemas.generate()
    paths: dict[str, dict[str, Any]] = {}
    for described in operations:
        paths.setdefault(described.path, {}).update(described.methods())
    info = {"title": title, "version": version} | ({"description": description} if description else {})
    components: dict[str, Any] = {"schemas": schemas.definitions | {"Problem": PROBLEM}}
    if security_schemes:
        components["securitySchemes"] = {name: dict(scheme) for name, scheme in security_schemes.items()}
    document: dict[str, Any] = {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}
    if servers:
        document["servers"] = [{"url": url} for url in servers]
    return document


def openapi_endpoint(routes: Callable[[], Iterable[BaseRoute]], **options: Any) -> Callable[[Any], Any]:
    """A handler that serves the document, made at the first request: `routes` is asked when all of them are known."""
    made: list[dict[str, Any]] = []

    async def show_openapi(request: Any) -> Response:
        if not made:
            made.append(openapi_document(routes(), **options))
        return JSONResponse(made[0])

    return show_openapi


def documented_routes(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Route]]:
    """Every HTTP route with its whole path, those of mounts included."""
    for route in routes:
        if isinstance(route, Mount):
            yield from documented_routes(route.routes or (), prefix + route.path)
        elif isinstance(route, Route) and route.include_in_schema:
            yield prefix + route.path, route


@dataclass(frozen=True)
class Handler:
    """A function that answers some methods of a route; one of a class is given its instance."""

    function: Callable[..., Any]
    methods: Sequence[str]
    given: Sequence[str] = ()
    # Whether it answers all that the route answers.
    is_alone: bool = True

    @property
    def operation(self) -> Operation:
        described: Operation = getattr(self.function, OPERATION_ATTRIBUTE, Operation())
        return described


def handlers_of(route: Route) -> list[Handler]:
    """The handlers that are documented: functions, and the methods of endpoint classes. HEAD is part of GET."""
    endpoint: Any = route.endpoint
    if inspect.isclass(endpoint) and issubclass(endpoint, HTTPEndpoint):
        verbs = [verb for verb in endpoint.handlers if verb != "head" and hasattr(endpoint, verb)]
        methods = [(getattr(endpoint, verb), verb.upper()) for verb in verbs]
        handlers = [
            Handler(method, [verb], list(inspect.signature(method).parameters)[:1], len(verbs) == 1)
            for method, verb in methods
        ]
    elif inspect.isroutine(endpoint) or hasattr(endpoint, "func"):
        verbs = sorted((route.methods or {"GET"}) - {"HEAD"})
        handlers = [Handler(endpoint, verbs, is_alone=len(verbs) == 1)]
    else:
        handlers = []
    return [handler for handler in handlers if not handler.operation.is_hidden]


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
        self.found: dict[tuple[int, JsonSchemaMode], Schema] = {}
        self.definitions: dict[str, Schema] = {}

    def want(self, annotation: Any, mode: JsonSchemaMode) -> Callable[[], Schema]:
        """Ask for a type's schema; what is returned gives it after `generate`."""
        key = len(self.wanted)
        self.wanted.append((key, mode, TypeAdapter(annotation)))
        return lambda: self.found[key, mode]

    def generate(self) -> None:
        found, definitions = TypeAdapter.json_schemas(
            self.wanted, ref_template=SCHEMA_ADDRESS, schema_generator=SchemaGenerator
        )
        self.found = {key: without_title(schema) for key, schema in found.items()}
        self.definitions = definitions.get("$defs", {})


def without_title(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "title"}


class Described:
    """One handler's operations. Its schemas are asked for at once, and read when the whole document is known."""

    def __init__(self, path: str, route: Route, handler: Handler, schemas: Schemas) -> None:
        self.path = PATH_PARAMETER.sub(r"{\1}", path)
        self.route = route
        self.handler = handler
        self.operation = handler.operation
        self.plan = Plan(handler.function, path, dependencies=route.dependencies, given=handler.given)
        self.dependencies = [*dependencies_of(handler.function, behind=route.dependencies)]
        self.schemas = schemas
        self.inputs = list(self.plan.inputs())
        self.parameters = [*self._path_parameters(), *self._marked_parameters()]
        self.body = self._body()
        self.declared, self.status = declared_answer(self.plan.signature.returns)
        answers = self.declared not in (EMPTY, Response, None, type(None))
        self.answer = schemas.want(self.declared, "serialization") if answers else None

    def methods(self) -> dict[str, Any]:
        """The operations by lower-case method."""
        return {method.lower(): self._describe(method) for method in self.handler.methods}

    def _describe(self, method: str) -> dict[str, Any]:
        summary, _, description = inspect.cleandoc(self.handler.function.__doc__ or "").partition("\n")
        described: dict[str, Any] = {
            "operationId": self.route.name if self.handler.is_alone else f"{self.route.name}.{method.lower()}",
            "summary": self.operation.summary or summary,
            "description": description.strip(),
            "tags": list(self.operation.tags) or self._default_tags(),
            "deprecated": self.operation.is_deprecated,
            "parameters": [parameter() for parameter in self.parameters],
            "requestBody": self.body() if self.body is not None else None,
            "security": self._security(),
        }
        return {name: value for name, value in described.items() if value} | {"responses": self._responses()}

    def _default_tags(self) -> list[str]:
        feature, dot, _ = self.route.name.partition(".")
        return [feature] if dot else []

    def _security(self) -> list[dict[str, list[str]]]:
        required: dict[str, list[str]] = {}
        for dependency in self.dependencies:
            schemes: Mapping[str, Sequence[str]] = getattr(dependency, "openapi_security", {})
            for name, scopes in schemes.items():
                required.setdefault(name, []).extend(scopes)
        return [required] if required else []

    # Parameters.

    def _path_parameters(self) -> Iterator[Callable[[], Schema]]:
        annotated = {
            parameter.name: parameter.annotation
            for parameter in self.plan.signature.parameters
            if parameter.is_annotated and parameter.marker is None
        }
        for name, convertor in self.plan.path_parameters.items():
            if convertor == "str" and name in annotated:
                schema = self.schemas.want(annotated[name], "validation")
            else:
                schema = partial(dict, CONVERTED.get(convertor, {"type": "string"}))
            yield partial(path_parameter, name, schema)

    def _marked_parameters(self) -> Iterator[Callable[[], Schema]]:
        for parameter, marker in self.inputs:
            if marker.place not in ("query", "header", "cookie"):
                continue
            if is_model(parameter.bare):
                yield from self._model_parameters(parameter.bare, marker)
            else:
                yield self._parameter(wire_name(parameter.name, marker.alias, marker), parameter, marker)

    def _parameter(self, name: str, parameter: Parameter, marker: Input) -> Callable[[], Schema]:
        schema = self.schemas.want(parameter.annotation, "validation")
        default = {} if parameter.is_required or parameter.default is None else {"default": parameter.default}
        return lambda: parameter_of(name, marker.place, parameter.is_required, schema() | default, marker)

    def _model_parameters(self, model: type[BaseModel], marker: Input) -> Iterator[Callable[[], Schema]]:
        for name, info in model.model_fields.items():
            yield self._field(name, info, marker)

    def _field(self, name: str, info: FieldInfo, marker: Input) -> Callable[[], Schema]:
        alias = info.validation_alias or info.alias
        wire = wire_name(name, alias if isinstance(alias, str) else None, marker)
        schema = self.schemas.want(Annotated[info.annotation, info], "validation")
        about = Input(description=info.description or "")
        return lambda: parameter_of(wire, marker.place, info.is_required(), schema(), about)

    # Bodies.

    def _body(self) -> Callable[[], Schema] | None:
        json = [(parameter, marker) for parameter, marker in self.inputs if isinstance(marker, Body)]
        if json:
            return self._json_body(*json[0])
        form = [(parameter, marker) for parameter, marker in self.inputs if marker.place == "form"]
        return self._form_body(form) if form else None

    def _json_body(self, parameter: Parameter, marker: Input) -> Callable[[], Schema]:
        if parameter.bare is bytes:
            return lambda: {"required": parameter.is_required, "content": {"*/*": {}}}
        schema = self.schemas.want(parameter.annotation, "validation")
        return lambda: body_of("application/json", schema(), parameter.is_required, marker)

    def _form_body(self, fields: list[tuple[Parameter, Input]]) -> Callable[[], Schema]:
        models = [parameter for parameter, _ in fields if is_model(parameter.bare)]
        media_type = "application/x-www-form-urlencoded"
        if any(isinstance(marker, File) for _, marker in fields):
            media_type = "multipart/form-data"
        if models:
            schema = self.schemas.want(models[0].annotation, "validation")
            return lambda: body_of(media_type, schema(), True, fields[0][1])
        properties = {
            wire_name(parameter.name, marker.alias, marker): self._form_field(parameter, marker)
            for parameter, marker in fields
        }
        required = [
            wire_name(parameter.name, marker.alias, marker) for parameter, marker in fields if parameter.is_required
        ]
        return lambda: body_of(
            media_type,
            {"type": "object", "properties": {name: schema() for name, schema in properties.items()}}
            | ({"required": required} if required else {}),
            bool(required),
        )

    def _form_field(self, parameter: Parameter, marker: Input) -> Callable[[], Schema]:
        if not isinstance(marker, File):
            return self.schemas.want(parameter.annotation, "validation")
        return lambda: {"type": "array", "items": UPLOADED} if takes_many(parameter.annotation) else UPLOADED

    # Responses.

    def _responses(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"description": phrase_of(self.status)}
        if self.answer is not None:
            answer["content"] = {"application/json": {"schema": self.answer()}}
        if self.operation.headers:
            answer["headers"] = {
                name: {"description": description, "schema": {"type": "string"}}
                for name, description in self.operation.headers.items()
            }
        refusals = {status: meaning or phrase_of(status) for status, meaning in self._refusals().items()}
        problem = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": SCHEMA_ADDRESS.format(model="Problem")}}}
        return {str(self.status): answer} | {
            str(status): {"description": meaning, "content": problem} for status, meaning in sorted(refusals.items())
        }

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
        if self._security():
            refusals |= {401: "", 403: ""}
        return refusals | dict(self.operation.refusals)


def path_parameter(name: str, schema: Callable[[], Schema]) -> Schema:
    return parameter_of(name, "path", True, schema())


def parameter_of(name: str, place: str, required: bool, schema: Schema, about: Input | None = None) -> Schema:
    described: Schema = {"name": name, "in": place, "required": required, "schema": schema}
    if about is not None:
        described |= described_by(about)
    return described


def described_by(marker: Input) -> Schema:
    found = {"description": marker.description, "example": marker.example, "deprecated": marker.deprecated}
    return {name: value for name, value in found.items() if value}


def body_of(media_type: str, schema: Schema, required: bool, marker: Input | None = None) -> Schema:
    content: Schema = {"schema": schema}
    if marker is not None and marker.example is not None:
        content["example"] = marker.example
    body: Schema = {"required": required, "content": {media_type: content}}
    if marker is not None and marker.description:
        body["description"] = marker.description
    return body

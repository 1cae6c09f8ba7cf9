"""The reference page's view of the OpenAPI document: operations with examples and commands, schemas with their fields."""

import json
import shlex
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

Document = dict[str, Any]
Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
EXAMPLES = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
    "date-time": "2026-05-01T12:00:00Z",
    "uuid": "019f3c00-0000-7000-8000-000000000001",
    "uri-reference": "about:blank",
}


@dataclass(frozen=True)
class Field:
    """A parameter of an operation, or a field of a schema. `schema` names the schema that it links to, if any."""

    name: str
    place: str
    type: str
    is_required: bool
    text: str
    schema: str
    default: str
    example: str


@dataclass(frozen=True)
class Answer:
    """One status that an operation answers with."""

    status: int
    phrase: str
    text: str
    schema: str

    @property
    def tone(self) -> str:
        return "success" if self.status < 300 else "info" if self.status < 400 else "warning"


@dataclass(frozen=True)
class Operation:
    """One method on one path, ready to be shown."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    text: str
    parameters: list[Field]
    body: str
    body_schema: str
    answers: list[Answer]
    example: str
    curl: str
    is_deprecated: bool

    @property
    def anchor(self) -> str:
        return f"operation-{self.id}"

    @property
    def can_be_tried(self) -> bool:
        return self.method == "GET"

    def matches(self, words: list[str]) -> bool:
        """Whether all of the words, in lower case, are found in what the list shows."""
        return all(word in self.search_text for word in words)

    @property
    def search_text(self) -> str:
        return f"{self.method} {self.path} {self.summary} {self.tag}".lower()


@dataclass(frozen=True)
class Model:
    """One schema, ready to be shown."""

    name: str
    text: str
    fields: list[Field]
    values: list[str]

    @property
    def anchor(self) -> str:
        return f"schema-{self.name}"


class Reference:
    """Everything that the page shows of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.schemas: dict[str, Schema] = document["components"]["schemas"]
        self.operations = [
            self._operation(path, method, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]
        self.models = [self._model(name, schema) for name, schema in sorted(self.schemas.items())]

    def find(self, query: str) -> list[Operation]:
        """The operations that have all words of the query in their method, path or summary."""
        words = query.lower().split()
        return [operation for operation in self.operations if operation.matches(words)]

    def _operation(self, path: str, method: str, described: Document) -> Operation:
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        answers = [self._answer(int(status), answer) for status, answer in described["responses"].items()]
        parameters = [self._parameter(parameter) for parameter in described.get("parameters", [])]
        body_example = "" if body is None else _as_json(self.example(body))
        return Operation(
            id=described["operationId"],
            method=method.upper(),
            path=path,
            tag=next(iter(described.get("tags", [])), ""),
            summary=described.get("summary", "").removesuffix("."),
            text=described.get("description", ""),
            parameters=parameters,
            body=body_example,
            body_schema=_target(body or {}),
            answers=answers,
            example=self._answer_example(described),
            curl=self._curl(method, path, body, described["security"]),
            is_deprecated=described.get("deprecated", False),
        )

    def _parameter(self, parameter: Document) -> Field:
        schema = parameter["schema"]
        return _field(parameter["name"], schema, parameter["required"], parameter["in"], parameter.get("description"))

    def _answer(self, status: int, answer: Document) -> Answer:
        contents = list(answer.get("content", {}).values())
        target = _target(contents[0]["schema"]) if contents else ""
        phrase = HTTPStatus(status).phrase
        return Answer(status, phrase, "" if answer["description"] == phrase else answer["description"], target)

    def _answer_example(self, described: Document) -> str:
        for status, answer in described["responses"].items():
            content = answer.get("content", {}).get("application/json")
            if status.startswith("2") and content:
                return _as_json(self.example(content["schema"]))
        return ""

    def _curl(self, method: str, path: str, body: Schema | None, security: list[Schema]) -> str:
        """The command for a shell, one option a line. `$TOKEN`, `$SESSION` and `$CSRF_TOKEN` stand for the reader's own."""
        server = self.document["servers"][0]["url"]
        filled = path.replace("{slug}", "acme")
        lines = [f"curl {shlex.quote(server + filled)}"]
        if method != "get":
            lines.append(f"--request {method.upper()}")
        lines += self._credentials(security)
        if body is not None:
            lines.append("--header 'Content-Type: application/json'")
            lines.append(f"--data {shlex.quote(json.dumps(self.example(body)))}")
        return " \\\n  ".join(lines)

    def _credentials(self, security: list[Schema]) -> list[str]:
        if any("token" in way for way in security):
            return ['--header "Authorization: Bearer $TOKEN"']
        cookie = self.document["components"]["securitySchemes"]["session"]["name"]
        by_session = [f'--cookie "{cookie}=$SESSION"']
        return (
            [*by_session, '--header "X-CSRF-Token: $CSRF_TOKEN"']
            if any("csrf" in way for way in security)
            else by_session
        )

    def _model(self, name: str, schema: Schema) -> Model:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        fields = [_field(key, each, key in required) for key, each in properties.items()]
        return Model(name, schema.get("description", ""), fields, [str(value) for value in schema.get("enum", [])])

    def example(self, schema: Schema) -> Any:
        """A value that fits a schema: its own example, or one made from its parts."""
        if "$ref" in schema:
            return self.example(self.schemas[_target(schema)])
        for named in (schema.get("examples"), schema.get("enum")):
            if named:
                return named[0]
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0])
        if schema.get("type") == "object":
            return {name: self.example(each) for name, each in schema.get("properties", {}).items()}
        if schema.get("type") == "array":
            return [self.example(schema["items"])]
        return EXAMPLES.get(schema.get("format", ""), EXAMPLES.get(schema.get("type", ""), "text"))


def _field(name: str, schema: Schema, is_required: bool, place: str = "", text: str | None = None) -> Field:
    return Field(
        name=name,
        place=place,
        type=_type(schema),
        is_required=is_required,
        text=text or schema.get("description", ""),
        schema=_target(schema),
        default="" if schema.get("default") is None else json.dumps(schema["default"]),
        example=str(next(iter(schema.get("examples", [])), "")),
    )


def _type(schema: Schema) -> str:
    """A schema in a few words: `text, 1 to 100 characters`, `list of MemberOut`."""
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "$ref" in schema:
        return _target(schema)
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return f"{schema.get('format') or schema.get('type', 'anything')}{_bounds(schema)}"


def _bounds(schema: Schema) -> str:
    least = schema.get("minLength", schema.get("minimum"))
    most = schema.get("maxLength", schema.get("maximum"))
    unit = " characters" if "maxLength" in schema or "minLength" in schema else ""
    if least is not None and most is not None:
        return f", {least} to {most}{unit}"
    if most is not None:
        return f", at most {most}{unit}"
    return "" if least is None else f", at least {least}{unit}"


def _target(schema: Schema) -> str:
    """The name of the schema that a schema refers to, itself or as its items; empty for one of its own."""
    if schema.get("type") == "array":
        return _target(schema["items"])
    found = [schema, *schema.get("anyOf", []), *schema.get("allOf", [])]
    return next((each["$ref"].removeprefix(REFERENCE) for each in found if "$ref" in each), "")


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

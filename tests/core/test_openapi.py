"""The document says what the signatures say."""

import json
import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.errors import PydanticInvalidForJsonSchema

from core.datastructures import UploadFile
from core.openapi import openapi_document, operation
from core.params import Body, Cookie, Depends, File, Form, Header, Path, Query, Status
from core.requests import Request
from core.responses import PlainTextResponse, Response
from core.routing import BaseRoute, Mount, Route, WebSocketRoute
from core.websockets import WebSocket


class Project(BaseModel):
    name: str = Field(min_length=1)
    parent: "Project | None" = None


class Window(BaseModel):
    page: int = Field(1, ge=1, description="Which page.")
    tags: list[str] = []


class Conditions(BaseModel):
    if_match: str


class Avatar(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    picture: UploadFile


class Permission(Depends):
    def __init__(self, name: str) -> None:
        super().__init__(self.check)
        self.openapi_security = {"token": [name]}

    async def check(self) -> str:
        return "ada"


async def list_projects(
    slug: Annotated[str, Path()], window: Annotated[Window, Query()], user: Annotated[str, Permission("projects.read")]
) -> list[Project]:
    """List the projects.

    Newest first.
    """
    return []


@operation(
    "Begin a project", tags=["work"], deprecated=True, refusals={409: "Taken."}, headers={"Location": "Its address."}
)
async def create_project(
    body: Annotated[Project, Body(description="The new project.", example={"name": "x"})],
) -> Annotated[Project, Status(201)]:
    """Not this summary."""
    return body


async def show_project(
    id: int,
    kind: Literal["a", "b"],
    number: int,
    x_version: Annotated[int, Header(description="Which one.", deprecated=True)],
    theme: Annotated[str, Cookie("look")] = "light",
    conditions: Annotated[Conditions | None, Query()] = None,
) -> Project:
    return Project(name="shown")


async def check(conditions: Annotated[Conditions, Header()]) -> None: ...
async def upload(files: Annotated[list[UploadFile], File()], name: Annotated[str, Form()] = "") -> None: ...
async def upload_one(file: Annotated[UploadFile | None, File()] = None) -> None: ...
async def set_avatar(form: Annotated[Avatar, Form()]) -> None: ...
async def receive_webhook(body: Annotated[bytes, Body()]) -> Response:
    return PlainTextResponse("received")


async def socket(websocket: WebSocket) -> None: ...


async def page(request: Request) -> Response:
    return PlainTextResponse("page")


@operation(hidden=True)
async def hidden(request: Request) -> Response:
    return PlainTextResponse("hidden")


ROUTES: list[BaseRoute] = [
    Route("/", page),
    Mount(
        "/api",
        routes=[
            Mount("/o/{slug}", routes=[Route("/projects", list_projects, name="projects.list_projects")]),
            Route("/projects", create_project, methods=["POST"], name="projects.create_project"),
            Route("/projects/{id:int}/{kind}/{number}", show_project),
            Route("/check", check),
            Route("/uploads", upload, methods=["PUT", "POST"]),
            Route("/upload", upload_one, methods=["POST"]),
            Route("/avatar", set_avatar, methods=["POST"]),
            Route("/webhooks", receive_webhook, methods=["POST"]),
            Route("/hidden", hidden),
            Route("/unlisted", page, include_in_schema=False),
            WebSocketRoute("/socket", socket),
        ],
    ),
]


@pytest.fixture
def document() -> dict[str, Any]:
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    return openapi_document(ROUTES, title="Slipway", version="1", under="/api", servers=["/"], security_schemes=schemes)


def operation_of(document: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
    found: dict[str, Any] = document["paths"]["/api" + path][method]
    return found


def test_the_document_introduces_itself(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "Slipway", "version": "1"}
    assert document["servers"] == [{"url": "/"}]
    assert document["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    described = openapi_document([], title="Slipway", version="1", description="All of it.")
    assert described["info"]["description"] == "All of it."
    assert "securitySchemes" not in described["components"]


def test_only_listed_http_routes_below_the_path_are_described(document: dict[str, Any]) -> None:
    assert [path.removeprefix("/api") for path in document["paths"]] == [
        "/o/{slug}/projects",
        "/projects",
        "/projects/{id}/{kind}/{number}",
        "/check",
        "/uploads",
        "/upload",
        "/avatar",
        "/webhooks",
    ]


def test_an_operation_is_named_by_its_route_and_described_by_its_docstring(document: dict[str, Any]) -> None:
    found = operation_of(document, "/o/{slug}/projects")
    assert found["operationId"] == "projects.list_projects"
    assert found["tags"] == ["projects"]
    assert (found["summary"], found["description"]) == ("List the projects.", "Newest first.")


def test_what_the_code_cannot_say_is_said_beside_it(document: dict[str, Any]) -> None:
    found = operation_of(document, "/projects", "post")
    assert (found["summary"], found["tags"], found["deprecated"]) == ("Begin a project", ["work"], True)
    assert found["responses"]["409"]["description"] == "Taken."
    assert found["responses"]["201"]["headers"]["Location"]["description"] == "Its address."


def test_models_become_parameters_field_by_field(document: dict[str, Any]) -> None:
    slug, page, tags = operation_of(document, "/o/{slug}/projects")["parameters"]
    assert slug == {"name": "slug", "in": "path", "required": True, "schema": {"type": "string"}}
    assert (page["name"], page["in"], page["required"], page["description"]) == ("page", "query", False, "Which page.")
    assert page["schema"].items() >= {"type": "integer", "minimum": 1, "default": 1}.items()
    assert tags["schema"].items() >= {"type": "array", "items": {"type": "string"}, "default": []}.items()
    (if_match,) = operation_of(document, "/check")["parameters"]
    assert (if_match["name"], if_match["in"], if_match["required"]) == ("if-match", "header", True)


def test_single_parameters_have_their_place_schema_and_default(document: dict[str, Any]) -> None:
    identifier, kind, number, version, look, conditions = operation_of(document, "/projects/{id}/{kind}/{number}")[
        "parameters"
    ]
    assert identifier["schema"] == {"type": "integer", "minimum": 0}
    assert kind["schema"] == {"type": "string", "enum": ["a", "b"]}
    assert number["schema"] == {"type": "integer"}
    assert (
        version.items()
        >= {"name": "x-version", "in": "header", "deprecated": True, "description": "Which one."}.items()
    )
    assert look == {"name": "look", "in": "cookie", "required": False, "schema": {"type": "string", "default": "light"}}
    assert not conditions["required"]


def test_bodies_and_answers_refer_to_shared_schemas(document: dict[str, Any]) -> None:
    found = operation_of(document, "/projects", "post")
    # The two differ: what has a default may be left out of a request, but is always in an answer.
    received, sent = ({"$ref": f"#/components/schemas/Project-{side}"} for side in ("Input", "Output"))
    assert found["requestBody"] == {
        "required": True,
        "description": "The new project.",
        "content": {"application/json": {"schema": received, "example": {"name": "x"}}},
    }
    assert found["responses"]["201"]["content"] == {"application/json": {"schema": sent}}


def test_forms_and_files_have_their_media_types(document: dict[str, Any]) -> None:
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    several = operation_of(document, "/uploads", "put")["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert several["properties"]["files"] == {"type": "array", "items": file}
    assert several["required"] == ["files"]
    one = operation_of(document, "/upload", "post")["requestBody"]
    assert (one["required"], one["content"]["multipart/form-data"]["schema"]["properties"]) == (False, {"file": file})
    assert document["components"]["schemas"]["Avatar"]["properties"]["picture"].items() >= file.items()
    assert operation_of(document, "/webhooks", "post")["requestBody"] == {"required": True, "content": {"*/*": {}}}


def test_several_methods_of_a_route_are_several_operations(document: dict[str, Any]) -> None:
    assert operation_of(document, "/uploads", "put")["operationId"] == "upload.put"
    assert operation_of(document, "/uploads", "post")["operationId"] == "upload.post"


def test_refusals_follow_from_the_signature(document: dict[str, Any]) -> None:
    assert list(operation_of(document, "/projects", "post")["responses"]) == ["201", "400", "409", "413", "415", "422"]
    assert list(operation_of(document, "/o/{slug}/projects")["responses"]) == ["200", "401", "403", "404", "422"]
    assert list(operation_of(document, "/check")["responses"]) == ["204", "422"]
    problem = operation_of(document, "/check")["responses"]["422"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}


def test_security_comes_from_the_dependencies(document: dict[str, Any]) -> None:
    assert operation_of(document, "/o/{slug}/projects")["security"] == [{"token": ["projects.read"]}]
    assert "security" not in operation_of(document, "/check")


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert names
    assert names <= set(document["components"]["schemas"])


def test_a_handler_of_a_path_value_alone_refuses_no_values() -> None:
    async def show(slug: Annotated[str, Path()]) -> None: ...

    document = openapi_document([Mount("/{slug}", routes=[Route("/x", show)])], title="Slipway", version="1")
    assert list(document["paths"]["/{slug}/x"]["get"]["responses"]) == ["204", "404"]


def test_a_type_without_a_schema_is_an_error() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        pattern: Response

    async def show(form: Annotated[Model, Form()]) -> None: ...

    with pytest.raises(PydanticInvalidForJsonSchema):
        openapi_document([Route("/x", show, methods=["POST"])], title="Slipway", version="1")


def test_an_asgi_application_describes_nothing() -> None:
    routes = [Route("/app", PlainTextResponse(""))]
    assert openapi_document(routes, title="", version="1")["paths"] == {}

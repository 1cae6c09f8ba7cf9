"""OpenAPI schemas from docstrings."""

import subprocess
import sys
from typing import Any

import pytest
import yaml

from core.applications import Starlette
from core.endpoints import HTTPEndpoint
from core.requests import Request
from core.responses import Response
from core.routing import Host, Mount, Route, Router
from core.schemas import BaseSchemaGenerator, OpenAPIResponse, SchemaGenerator
from core.testclient import AsyncTestClient

SCHEMAS = SchemaGenerator({"openapi": "3.1.0", "info": {"title": "Test", "version": "1"}})


async def list_members(request: Request) -> Response:
    """
    List the members.
    ---
    responses:
      200:
        description: All of them.
    """
    return Response()


async def undocumented(request: Request) -> Response:
    """Just words: with: colons."""
    return Response()


class Member(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        """
        responses: {200: {description: One.}}
        """
        return Response()

    async def query(self, request: Request) -> Response:
        """
        responses: {200: {description: Found.}}
        """
        return Response()


async def show_schema(request: Request) -> Response:
    return SCHEMAS.OpenAPIResponse(request=request)


ROUTES = [
    Route("/schema", show_schema, include_in_schema=False),
    Mount(
        "/o/{slug}",
        routes=[Route("/members", list_members, methods=["GET", "POST"]), Route("/members/{id:int}", Member)],
    ),
    Host("api.example.org", Router([Route("/hosted", list_members)])),
    Route("/undocumented", undocumented),
]


def documented() -> Any:
    return SCHEMAS.get_schema(ROUTES)["paths"]


def test_the_paths_of_mounts_are_joined_and_convertors_left_out() -> None:
    assert list(documented()) == ["/o/{slug}/members", "/o/{slug}/members/{id}", "/hosted"]


def test_methods_are_those_of_the_route_or_of_the_class() -> None:
    assert list(documented()["/o/{slug}/members"]) == ["get", "post"]
    assert list(documented()["/o/{slug}/members/{id}"]) == ["get"]


def test_query_appears_from_openapi_3_2_on() -> None:
    paths = SchemaGenerator({"openapi": "3.2.0"}).get_schema(ROUTES)["paths"]

    assert list(paths["/o/{slug}/members/{id}"]) == ["get", "query"]


def test_the_base_schema_is_not_changed() -> None:
    documented()

    assert "paths" not in SCHEMAS.base_schema


async def test_the_response_is_yaml() -> None:
    response = await AsyncTestClient(Starlette(routes=ROUTES)).get("/schema")

    assert response.headers["content-type"] == "application/vnd.oai.openapi"
    assert response.text.startswith("info:\n  title: Test")


def test_only_a_mapping_can_be_a_schema() -> None:
    with pytest.raises(TypeError, match="should be a dictionary"):
        OpenAPIResponse("text")


def test_yaml_that_is_meant_and_wrong_is_told() -> None:
    async def mistaken(request: Request) -> Response:
        """
        Not like this.
        ---
        responses: {200
        """
        return Response()

    with pytest.raises(yaml.YAMLError):
        SCHEMAS.parse_docstring(mistaken)
    with pytest.raises(NotImplementedError):
        BaseSchemaGenerator().get_schema(ROUTES)


def test_a_function_without_a_docstring_has_no_schema() -> None:
    assert SCHEMAS.parse_docstring(lambda request: Response()) == {}


def test_importing_the_module_does_not_need_yaml() -> None:
    program = "import sys; sys.modules['yaml'] = None; import core.schemas"

    subprocess.run([sys.executable, "-c", program], check=True)

"""The MCP Python SDK's streamable HTTP server on core, spoken to by the SDK's own client."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import Context, MCPServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.testclient import TestClient

BASE_URL = "http://127.0.0.1:8000"


def harbour() -> MCPServer:
    server = MCPServer("harbour", instructions="Ask for boats.")

    @server.tool()
    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    async def sail(miles: int, ctx: Context) -> str:
        for mile in range(miles):
            await ctx.report_progress(mile + 1, miles)
        return "arrived"

    @server.tool()
    async def sink() -> None:
        raise ValueError("We are sinking.")

    @server.resource("boats://{name}")
    def boat(name: str) -> str:
        return f"{name} is in the harbour."

    @server.prompt()
    def order(course: str) -> str:
        return f"Set course {course}."

    @server.custom_route("/health", methods=["GET"])
    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"ok": True})

    return server


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """uvicorn runs on asyncio."""
    return "asyncio"


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve an application with uvicorn; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listening])
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True


@asynccontextmanager
async def connected(app: Starlette, path: str = "/mcp", mode: str = "auto") -> AsyncIterator[Client]:
    async with serving(app) as address, Client(streamable_http_client(address + path), mode=mode) as client:
        yield client


@pytest.fixture(params=["events", "JSON", "stateless"])
def app(request: pytest.FixtureRequest) -> Starlette:
    return harbour().streamable_http_app(
        json_response=request.param == "JSON", stateless_http=request.param == "stateless"
    )


async def test_its_application_is_one_of_core(app: Starlette) -> None:
    assert type(app).__module__ == "core.applications"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_tools_are_listed_and_called(app: Starlette, mode: str) -> None:
    async with connected(app, mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["add", "sail", "sink"]
        assert (await client.call_tool("add", {"a": 2, "b": 3})).structured_content == {"result": 5}


async def test_a_tool_that_fails_says_so(app: Starlette) -> None:
    async with connected(app) as client:
        result = await client.call_tool("sink", {})
    assert result.is_error


async def test_resources_and_prompts(app: Starlette) -> None:
    async with connected(app) as client:
        read = await client.read_resource("boats://Fram")
        prompt = await client.get_prompt("order", {"course": "north"})
    assert read.contents[0].text == "Fram is in the harbour."
    assert prompt.messages[0].content.text == "Set course north."


async def test_progress_arrives_while_a_tool_runs() -> None:
    reported: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        reported.append(progress)

    async with connected(harbour().streamable_http_app()) as client:
        await client.call_tool("sail", {"miles": 3}, progress_callback=note)
    assert reported == [1, 2, 3]


async def test_it_is_mounted_beside_other_routes() -> None:
    inner = harbour().streamable_http_app(streamable_http_path="/")
    app = Starlette(routes=[Mount("/tools", app=inner)], mounted_lifespans=True)

    async with connected(app, "/tools/") as client:
        assert (await client.call_tool("add", {"a": 1, "b": 1})).structured_content == {"result": 2}


def test_routes_of_its_own() -> None:
    assert TestClient(harbour().streamable_http_app(), base_url=BASE_URL).get("/health").json() == {"ok": True}


def test_other_hosts_and_methods_are_refused() -> None:
    with TestClient(harbour().streamable_http_app(), base_url=BASE_URL) as client:
        answers: list[httpx2.Response] = [
            client.post("/mcp", json={}, headers={"host": "evil.test"}),
            client.put("/mcp", json={}),
            client.post(
                "/mcp",
                content="{",
                headers={"content-type": "application/json", "accept": "application/json, text/event-stream"},
            ),
        ]
    assert [answer.status_code for answer in answers] == [421, 405, 400]

"""The application as a user of Sanic writes it, under ASGI. Sanic's layers are functions; all five are the user's own."""

import gzip
from typing import Any

from benchmarks.applications.signed_sessions import COOKIE, read_session, write_session
from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str]) -> Any:
    from jinja2 import Environment
    from sanic import Sanic, response

    app = Sanic("benchmark", configure_logging=False)
    page_template = Environment(autoescape=True).from_string(PAGE)

    async def plain(request: Any) -> Any:
        return response.text("Hello, world")

    for number in range(routes):
        app.add_route(plain, f"/route/{number}", name=f"route{number}")
    app.add_route(plain, "/plain", name="plain")

    @app.get("/json")
    async def json(request: Any) -> Any:
        return response.json({"message": "Hello, world"})

    @app.get("/items/<id:int>")
    async def item(request: Any, id: int) -> Any:
        return response.json({"id": id})

    @app.post("/echo")
    async def echo(request: Any) -> Any:
        return response.json(request.json)

    @app.post("/form")
    async def form(request: Any) -> Any:
        return response.text(request.form.get("name"))

    @app.post("/upload")
    async def upload(request: Any) -> Any:
        return response.text(str(len(request.files.get("file").body)))

    @app.get("/session")
    async def session(request: Any) -> Any:
        return response.text(request.ctx.session.setdefault("name", "Ada"))

    @app.get("/page")
    async def page(request: Any) -> Any:
        return response.html(page_template.render(title="Rows", rows=ROWS))

    @app.get("/stream")
    async def stream(request: Any) -> None:
        answer = await request.respond(content_type="text/plain")
        for chunk in CHUNKS:
            await answer.send(chunk)
        await answer.eof()

    @app.websocket("/socket")
    async def socket(request: Any, websocket: Any) -> None:
        while (message := await websocket.recv()) is not None:
            await websocket.send(message)

    app.static("/static", STATIC)
    if "five middleware" in options:
        _add_layers(app)
    if options & {"session", "five middleware"}:
        app.on_request(_load_session)
        app.on_response(_save_session)
    return app


def _add_layers(app: Any) -> None:
    app.on_request(_require_trusted_host)
    app.on_response(_allow_origin)
    app.on_response(_compress)
    app.on_response(_name_server)


async def _require_trusted_host(request: Any) -> Any:
    from sanic import response

    return None if request.server_name == "localhost" else response.text("Bad host", 400)


async def _allow_origin(request: Any, response: Any) -> None:
    if "origin" in request.headers:
        response.headers["access-control-allow-origin"] = "https://example.com"


async def _compress(request: Any, response: Any) -> None:
    if "gzip" in request.headers.get("accept-encoding", "") and len(response.body or b"") >= 500:
        response.body = gzip.compress(response.body)
        response.headers["content-encoding"] = "gzip"


async def _name_server(request: Any, response: Any) -> None:
    response.headers["x-served-by"] = "benchmark"


async def _load_session(request: Any) -> None:
    request.ctx.session = read_session(request.cookies.get(COOKIE))


async def _save_session(request: Any, response: Any) -> None:
    if request.ctx.session:
        response.add_cookie(COOKIE, write_session(request.ctx.session), httponly=True, secure=False)

"""The application as a user of Quart writes it. Sessions are Quart's; the other layers are functions of the user's own."""

import gzip
from typing import Any

from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str]) -> Any:
    from jinja2 import DictLoader
    from quart import Quart, Response, render_template, request, session, websocket

    app = Quart("benchmark", static_folder=str(STATIC), static_url_path="/static")
    app.secret_key = "benchmark"
    app.jinja_loader = DictLoader({"page.html": PAGE})

    async def plain() -> Response:
        return Response("Hello, world", content_type="text/plain")

    for number in range(routes):
        app.add_url_rule(f"/route/{number}", f"route{number}", plain)
    app.add_url_rule("/plain", "plain", plain)

    @app.get("/json")
    async def json() -> Any:
        return {"message": "Hello, world"}

    @app.get("/items/<int:id>")
    async def item(id: int) -> Any:
        return {"id": id}

    @app.post("/echo")
    async def echo() -> Any:
        return await request.get_json()

    @app.post("/form")
    async def form() -> Any:
        return (await request.form)["name"]

    @app.post("/upload")
    async def upload() -> Any:
        return str(len((await request.files)["file"].read()))

    @app.get("/session")
    async def read_session() -> Any:
        if "name" not in session:
            session["name"] = "Ada"
        return session["name"]

    @app.get("/page")
    async def page() -> Any:
        return await render_template("page.html", title="Rows", rows=ROWS)

    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    @app.get("/stream")
    async def stream() -> Any:
        return chunks(), 200, {"content-type": "text/plain"}

    @app.get("/stream-sync")
    async def stream_sync() -> Any:
        return (chunk for chunk in CHUNKS[:10]), 200, {"content-type": "text/plain"}

    @app.websocket("/socket")
    async def socket() -> None:
        while True:
            await websocket.send(await websocket.receive())

    if "five middleware" in options:
        _add_layers(app)
    return app


def _add_layers(app: Any) -> None:
    from quart import abort, request

    @app.before_request
    async def require_trusted_host() -> None:
        if request.host.partition(":")[0] != "localhost":
            abort(400)

    @app.after_request
    async def allow_origin(response: Any) -> Any:
        if "origin" in request.headers:
            response.headers["Access-Control-Allow-Origin"] = "https://example.com"
        return response

    @app.after_request
    async def compress(response: Any) -> Any:
        if "gzip" in request.headers.get("accept-encoding", ""):
            response.set_data(gzip.compress(await response.get_data()))
            response.headers["Content-Encoding"] = "gzip"
        return response

    @app.after_request
    async def name_server(response: Any) -> Any:
        response.headers["X-Served-By"] = "benchmark"
        return response

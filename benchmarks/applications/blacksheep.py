"""The application as a user of BlackSheep writes it."""

from typing import Any

from benchmarks.applications.orders import Order
from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str]) -> Any:
    from blacksheep import (
        Application,
        Content,
        FromHeader,
        FromJSON,
        Request,
        Response,
        Router,
        StreamedContent,
        WebSocket,
        WebSocketDisconnectError,
        json,
        text,
    )
    from jinja2 import Environment

    app = Application(router=Router())
    page_template = Environment(autoescape=True).from_string(PAGE)

    async def plain() -> Response:
        return text("Hello, world")

    for number in range(routes):
        app.router.add_get(f"/route/{number}", plain)
    app.router.add_get("/plain", plain)

    @app.router.get("/json")
    async def message() -> Response:
        return json({"message": "Hello, world"})

    @app.router.get("/items/{id}")
    async def item(id: int) -> Response:
        return json({"id": id})

    @app.router.post("/echo")
    async def echo(request: Request) -> Response:
        return json(await request.json())

    @app.router.post("/form")
    async def form(request: Request) -> Response:
        return text((await request.form())["name"])

    @app.router.post("/upload")
    async def upload(request: Request) -> Response:
        data = (await request.files())[0].data
        return text(str(len(data if isinstance(data, bytes) else data.read())))

    @app.router.get("/session")
    async def session(request: Request) -> Response:
        if "name" not in request.session:
            request.session["name"] = "Ada"
        return text(request.session["name"])

    @app.router.get("/page")
    async def page() -> Response:
        body = page_template.render(title="Rows", rows=ROWS).encode()
        return Response(200, content=Content(b"text/html; charset=utf-8", body))

    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    @app.router.get("/stream")
    async def stream() -> Response:
        return Response(200, content=StreamedContent(b"text/plain", chunks))

    class Tenant(FromHeader[str]):
        name = "x-tenant"

    @app.router.post("/orders")
    async def order(data: FromJSON[Order], tenant: Tenant) -> Response:
        return json(data.value)

    @app.router.get("/declared/{shelf}/{number}")
    async def declared(shelf: int, number: int, limit: int, order: str = "id") -> Response:
        return json({"shelf": shelf, "number": number, "limit": limit, "order": order})

    @app.router.ws("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnectError:
            return

    app.serve_files(STATIC, root_path="static")
    if options & {"session", "five middleware"}:
        app.use_sessions("benchmark")
    if "five middleware" in options:
        _add_layers(app)
    return app


def _add_layers(app: Any) -> None:
    from blacksheep import Request, Response, text
    from blacksheep.server.compression import use_gzip_compression

    async def trusted_host(request: Request, handler: Any) -> Response:
        if request.host.partition(":")[0] != "localhost":
            return text("Bad host", 400)
        answer: Response = await handler(request)
        return answer

    async def served_by(request: Request, handler: Any) -> Response:
        response: Response = await handler(request)
        response.add_header(b"x-served-by", b"benchmark")
        return response

    app.use_cors(allow_origins="https://example.com")
    use_gzip_compression(app)
    app.middlewares.extend([trusted_host, served_by])

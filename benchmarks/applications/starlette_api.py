"""The application as a user of Starlette's API writes it; `core` and Starlette itself are measured with this one text."""

import importlib
from collections.abc import Sequence
from typing import Any

from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str], package: str = "starlette", more: Sequence[Any] = ()) -> Any:
    """Build the application with `package`, which is "core" or "starlette", and with `more` routes."""
    from jinja2 import DictLoader, Environment

    def module(name: str) -> Any:
        return importlib.import_module(f"{package}.{name}")

    responses, routing, middleware = module("responses"), module("routing"), module("middleware")
    route = routing.Route
    templates = module("templating").Jinja2Templates(
        env=Environment(autoescape=True, loader=DictLoader({"page": PAGE}))
    )

    async def plain(request: Any) -> Any:
        return responses.PlainTextResponse("Hello, world")

    async def json(request: Any) -> Any:
        return responses.JSONResponse({"message": "Hello, world"})

    async def item(request: Any) -> Any:
        return responses.JSONResponse({"id": request.path_params["id"]})

    async def echo(request: Any) -> Any:
        return responses.JSONResponse(await request.json())

    async def form(request: Any) -> Any:
        return responses.PlainTextResponse((await request.form())["name"])

    async def upload(request: Any) -> Any:
        async with request.form() as fields:
            return responses.PlainTextResponse(str(len(await fields["file"].read())))

    async def session(request: Any) -> Any:
        request.session.setdefault("name", "Ada")
        return responses.PlainTextResponse(request.session["name"])

    async def page(request: Any) -> Any:
        return templates.TemplateResponse(request, "page", {"title": "Rows", "rows": ROWS})

    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    async def stream(request: Any) -> Any:
        return responses.StreamingResponse(chunks(), media_type="text/plain")

    async def stream_sync(request: Any) -> Any:
        return responses.StreamingResponse(iter(CHUNKS[:10]), media_type="text/plain")

    async def by_hand(request: Any) -> Any:
        path, query = request.path_params, request.query_params
        return responses.JSONResponse(
            {
                "shelf": path["shelf"],
                "number": path["number"],
                "limit": int(query["limit"]),
                "order": query.get("order", "id"),
            }
        )

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    listed = [route(f"/route/{number}", plain) for number in range(routes)]
    listed += [
        route("/plain", plain),
        route("/json", json),
        route("/items/{id:int}", item),
        route("/echo", echo, methods=["POST"]),
        route("/form", form, methods=["POST"]),
        route("/upload", upload, methods=["POST"]),
        route("/session", session),
        route("/page", page),
        route("/stream", stream),
        route("/stream-sync", stream_sync),
        route("/by-hand/{shelf:int}/{number:int}", by_hand),
        routing.WebSocketRoute("/socket", socket),
        routing.Mount("/static", module("staticfiles").StaticFiles(directory=STATIC)),
        *more,
    ]
    layers = []
    if "session" in options:
        layers.append(middleware.Middleware(module("middleware.sessions").SessionMiddleware, secret_key="benchmark"))
    if "five middleware" in options:
        layers += [
            middleware.Middleware(module("middleware.trustedhost").TrustedHostMiddleware, allowed_hosts=["localhost"]),
            middleware.Middleware(module("middleware.cors").CORSMiddleware, allow_origins=["https://example.com"]),
            middleware.Middleware(module("middleware.gzip").GZipMiddleware),
            middleware.Middleware(module("middleware.sessions").SessionMiddleware, secret_key="benchmark"),
            middleware.Middleware(TimingMiddleware),
        ]
    return module("applications").Starlette(routes=listed, middleware=layers)


class TimingMiddleware:
    """A pure ASGI middleware that adds a header, as the documentation recommends."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_header(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-served-by", b"benchmark")]
            await send(message)

        await self.app(scope, receive, send_with_header)

"""The application as a user of FastAPI writes it."""

from typing import Annotated, Any

from benchmarks.applications.orders import Order
from benchmarks.applications.starlette_api import TimingMiddleware
from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str]) -> Any:
    from fastapi import Depends, FastAPI, Form, Header, Request, UploadFile, WebSocket, WebSocketDisconnect
    from fastapi.responses import PlainTextResponse, StreamingResponse
    from fastapi.staticfiles import StaticFiles
    from jinja2 import DictLoader, Environment
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.templating import Jinja2Templates

    app = FastAPI()
    templates = Jinja2Templates(env=Environment(autoescape=True, loader=DictLoader({"page": PAGE})))

    async def plain() -> PlainTextResponse:
        return PlainTextResponse("Hello, world")

    for number in range(routes):
        app.get(f"/route/{number}")(plain)
    app.get("/plain")(plain)

    @app.get("/json")
    async def json() -> dict[str, str]:
        return {"message": "Hello, world"}

    @app.get("/items/{id}")
    async def item(id: int) -> dict[str, int]:
        return {"id": id}

    @app.post("/echo")
    async def echo(body: Order) -> Order:
        return body

    @app.post("/form")
    async def form(name: str = Form()) -> PlainTextResponse:
        return PlainTextResponse(name)

    @app.post("/upload")
    async def upload(file: UploadFile) -> PlainTextResponse:
        return PlainTextResponse(str(len(await file.read())))

    @app.get("/session")
    async def session(request: Request) -> PlainTextResponse:
        request.session.setdefault("name", "Ada")
        return PlainTextResponse(request.session["name"])

    @app.get("/page")
    async def page(request: Request) -> Any:
        return templates.TemplateResponse(request, "page", {"title": "Rows", "rows": ROWS})

    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks(), media_type="text/plain")

    @app.get("/stream-sync")
    async def stream_sync() -> StreamingResponse:
        return StreamingResponse(iter(CHUNKS[:10]), media_type="text/plain")

    async def tenant(x_tenant: Annotated[str, Header()]) -> str:
        return x_tenant

    @app.post("/orders")
    async def order(order: Order, tenant: Annotated[str, Depends(tenant)]) -> Order:
        return order

    @app.get("/declared/{shelf}/{number}")
    async def declared(shelf: int, number: int, limit: int, order: str = "id") -> dict[str, Any]:
        return {"shelf": shelf, "number": number, "limit": limit, "order": order}

    @app.get("/by-hand/{shelf}/{number}")
    async def by_hand(request: Request) -> dict[str, Any]:
        path, query = request.path_params, request.query_params
        return {
            "shelf": int(path["shelf"]),
            "number": int(path["number"]),
            "limit": int(query["limit"]),
            "order": query.get("order", "id"),
        }

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect:
            return

    app.mount("/static", StaticFiles(directory=STATIC))
    if "session" in options:
        app.add_middleware(SessionMiddleware, secret_key="benchmark")
    if "five middleware" in options:
        app.add_middleware(TimingMiddleware)
        app.add_middleware(SessionMiddleware, secret_key="benchmark")
        app.add_middleware(GZipMiddleware)
        app.add_middleware(CORSMiddleware, allow_origins=["https://example.com"])
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost"])
    return app

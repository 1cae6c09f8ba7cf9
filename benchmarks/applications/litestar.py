"""The application as a user of Litestar writes it."""

from typing import Annotated, Any

from benchmarks.applications.orders import Order
from benchmarks.applications.starlette_api import TimingMiddleware
from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str]) -> Any:
    from jinja2 import DictLoader, Environment
    from litestar import Litestar, MediaType, Request, get, post, websocket_listener
    from litestar.config.allowed_hosts import AllowedHostsConfig
    from litestar.config.compression import CompressionConfig
    from litestar.config.cors import CORSConfig
    from litestar.contrib.jinja import JinjaTemplateEngine
    from litestar.datastructures import UploadFile
    from litestar.di import Provide
    from litestar.enums import RequestEncodingType
    from litestar.middleware.session.client_side import CookieBackendConfig
    from litestar.params import Body, Parameter
    from litestar.response import Stream, Template
    from litestar.static_files import create_static_files_router
    from litestar.template.config import TemplateConfig

    @get(["/plain", *(f"/route/{number}" for number in range(routes))], media_type=MediaType.TEXT)
    async def plain() -> str:
        return "Hello, world"

    @get("/json")
    async def json() -> dict[str, str]:
        return {"message": "Hello, world"}

    @get("/items/{id:int}")
    async def item(id: int) -> dict[str, int]:
        return {"id": id}

    @post("/echo", status_code=200)
    async def echo(data: dict[str, Any]) -> dict[str, Any]:
        return data

    @post("/form", status_code=200, media_type=MediaType.TEXT)
    async def form(data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]) -> str:
        return data["name"]

    @post("/upload", status_code=200, media_type=MediaType.TEXT)
    async def upload(data: Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)]) -> str:
        return str(len(await data["file"].read()))

    @get("/session", media_type=MediaType.TEXT)
    async def session(request: Request[Any, Any, Any]) -> str:
        request.session.setdefault("name", "Ada")
        name: str = request.session["name"]
        return name

    @get("/page")
    async def page() -> Template:
        return Template("page", context={"title": "Rows", "rows": ROWS})

    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    @get("/stream")
    async def stream() -> Stream:
        return Stream(chunks())

    @get("/stream-sync")
    async def stream_sync() -> Stream:
        return Stream(iter(CHUNKS[:10]))

    async def tenant(x_tenant: Annotated[str, Parameter(header="x-tenant")]) -> str:
        return x_tenant

    @post("/orders", status_code=200, dependencies={"tenant": Provide(tenant)})
    async def order(data: Order, tenant: str) -> Order:
        return data

    @get("/declared/{shelf:int}/{number:int}")
    async def declared(shelf: int, number: int, limit: int, order: str = "id") -> dict[str, Any]:
        return {"shelf": shelf, "number": number, "limit": limit, "order": order}

    @websocket_listener("/socket")
    async def socket(data: str) -> str:
        return data

    environment = Environment(autoescape=True, loader=DictLoader({"page": PAGE}))
    sessions = CookieBackendConfig(secret=b"0123456789abcdef")
    five = "five middleware" in options
    return Litestar(
        [
            plain, json, item, echo, form, upload, session, page, stream, stream_sync, order, declared, socket,
            create_static_files_router("/static", directories=[STATIC]),
        ],
        template_config=TemplateConfig(engine=JinjaTemplateEngine.from_environment(environment)),
        middleware=[*([sessions.middleware] if five or "session" in options else []), *([TimingMiddleware] if five else [])],
        cors_config=CORSConfig(allow_origins=["https://example.com"]) if five else None,
        compression_config=CompressionConfig("gzip") if five else None,
        allowed_hosts=AllowedHostsConfig(["localhost"]) if five else None,
        openapi_config=None,
        logging_config=None,
    )  # fmt: skip

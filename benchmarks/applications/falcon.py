"""The application as a user of Falcon writes it. It has no sessions, gzip or trusted hosts: those layers are the user's own."""

import gzip
from typing import Any

from benchmarks.applications.signed_sessions import COOKIE, read_session, write_session
from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC


def create(routes: int, options: frozenset[str]) -> Any:
    import falcon
    import falcon.asgi
    from jinja2 import Environment

    page_template = Environment(autoescape=True).from_string(PAGE)

    class Plain:
        async def on_get(self, request: Any, response: Any) -> None:
            response.content_type = falcon.MEDIA_TEXT
            response.text = "Hello, world"

    class Json:
        async def on_get(self, request: Any, response: Any) -> None:
            response.media = {"message": "Hello, world"}

    class Item:
        async def on_get(self, request: Any, response: Any, id: int) -> None:
            response.media = {"id": id}

    class Echo:
        async def on_post(self, request: Any, response: Any) -> None:
            response.media = await request.get_media()

    class Form:
        async def on_post(self, request: Any, response: Any) -> None:
            response.text = (await request.get_media())["name"]

    class Upload:
        async def on_post(self, request: Any, response: Any) -> None:
            async for part in await request.get_media():
                response.text = str(len(await part.get_data()))

    class Session:
        async def on_get(self, request: Any, response: Any) -> None:
            response.text = request.context.session.setdefault("name", "Ada")

    class Page:
        async def on_get(self, request: Any, response: Any) -> None:
            response.content_type = falcon.MEDIA_HTML
            response.text = page_template.render(title="Rows", rows=ROWS)

    class Stream:
        async def on_get(self, request: Any, response: Any) -> None:
            response.stream = self.chunks()

        async def chunks(self) -> Any:
            for chunk in CHUNKS:
                yield chunk

    class Socket:
        async def on_websocket(self, request: Any, websocket: Any) -> None:
            await websocket.accept()
            try:
                while True:
                    await websocket.send_text(await websocket.receive_text())
            except falcon.WebSocketDisconnected:
                return

    layers: list[Any] = [Sessions()] if "session" in options else []
    if "five middleware" in options:
        layers = [TrustedHost(), falcon.CORSMiddleware("https://example.com"), Compression(), Sessions(), ServedBy()]
    app = falcon.asgi.App(middleware=layers)
    for number in range(routes):
        app.add_route(f"/route/{number}", Plain())
    app.add_route("/plain", Plain())
    app.add_route("/json", Json())
    app.add_route("/items/{id:int}", Item())
    app.add_route("/echo", Echo())
    app.add_route("/form", Form())
    app.add_route("/upload", Upload())
    app.add_route("/session", Session())
    app.add_route("/page", Page())
    app.add_route("/stream", Stream())
    app.add_route("/socket", Socket())
    app.add_static_route("/static", str(STATIC))
    return app


class TrustedHost:
    async def process_request(self, request: Any, response: Any) -> None:
        import falcon

        if request.host != "localhost":
            raise falcon.HTTPBadRequest(title="Bad host")


class Compression:
    async def process_response(self, request: Any, response: Any, resource: Any, succeeded: bool) -> None:
        if "gzip" in (request.get_header("Accept-Encoding") or "") and len(response.text or "") >= 500:
            response.data = gzip.compress(response.text.encode())
            response.text = None
            response.set_header("Content-Encoding", "gzip")


class Sessions:
    async def process_request(self, request: Any, response: Any) -> None:
        request.context.session = read_session(request.cookies.get(COOKIE))

    async def process_response(self, request: Any, response: Any, resource: Any, succeeded: bool) -> None:
        if request.context.session:
            response.set_cookie(COOKIE, write_session(request.context.session), secure=False)


class ServedBy:
    async def process_response(self, request: Any, response: Any, resource: Any, succeeded: bool) -> None:
        response.set_header("X-Served-By", "benchmark")

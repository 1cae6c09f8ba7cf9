"""The bare ASGI callable: the same work by hand with the standard library, the measure for all others."""

import json
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs

from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC_FILE

TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]
ETAG = b'"1"'


def create(routes: int, options: frozenset[str]) -> Any:
    from jinja2 import Environment

    page = Environment(autoescape=True).from_string(PAGE)
    static = STATIC_FILE.read_bytes()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/plain" or path.startswith("/route/"):
            await answer(send, TEXT, b"Hello, world")
        elif path == "/json":
            await answer(send, JSON, json.dumps({"message": "Hello, world"}).encode())
        elif path.startswith("/items/"):
            await answer(send, JSON, json.dumps({"id": int(path[7:])}).encode())
        elif path == "/echo":
            await answer(send, JSON, json.dumps(json.loads(await read(receive))).encode())
        elif path == "/form":
            fields = parse_qs((await read(receive)).decode())
            await answer(send, TEXT, fields["name"][0].encode())
        elif path == "/upload":
            kind = dict(scope["headers"])[b"content-type"]
            message = BytesParser().parsebytes(b"content-type: " + kind + b"\r\n\r\n" + await read(receive))
            await answer(send, TEXT, str(len(message.get_payload()[0].get_payload())).encode())
        elif path == "/session":
            await answer(send, TEXT, b"Ada")
        elif path == "/page":
            await answer(send, [(b"content-type", b"text/html")], page.render(title="Rows", rows=ROWS).encode())
        elif path.startswith("/static/"):
            await send_static(scope, send, static)
        elif path.startswith("/stream"):
            await stream(send, CHUNKS if path == "/stream" else CHUNKS[:10])
        else:
            await answer(send, TEXT, b"Not Found", 404)

    return app


async def answer(send: Any, headers: list[tuple[bytes, bytes]], body: bytes, status: int = 200) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def send_static(scope: Any, send: Any, content: bytes) -> None:
    if any(name == b"if-none-match" for name, _ in scope["headers"]):
        await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", ETAG)]})
        await send({"type": "http.response.body"})
    else:
        await answer(send, [*TEXT, (b"etag", ETAG)], content)


async def stream(send: Any, chunks: list[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": TEXT})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})

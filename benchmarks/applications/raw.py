"""The bare ASGI callable: the same work by hand with the standard library, the measure for all others."""

import base64
import hashlib
import hmac
import json
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs

from benchmarks.applications.orders import Order
from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC_FILE

TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]
ETAG = b'"1"'
KEY = b"benchmark"


def create(routes: int, options: frozenset[str]) -> Any:
    from jinja2 import Environment

    page = Environment(autoescape=True).from_string(PAGE)
    static = STATIC_FILE.read_bytes()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if scope["type"] == "websocket":
            await echo_messages(receive, send)
        elif path == "/plain" or path.startswith("/route/"):
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
            await send_session(scope, send)
        elif path == "/page":
            await answer(send, [(b"content-type", b"text/html")], page.render(title="Rows", rows=ROWS).encode())
        elif path.startswith("/static/"):
            await send_static(scope, send, static)
        elif path.startswith("/stream"):
            await stream(send, CHUNKS if path == "/stream" else CHUNKS[:10])
        elif path == "/orders":
            await take_order(scope, receive, send)
        elif path.startswith(("/by-hand/", "/declared/")):
            await read_by_hand(scope, send)
        else:
            await answer(send, TEXT, b"Not Found", 404)

    return five_layers(app) if "five middleware" in options else app


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


async def send_session(scope: Any, send: Any) -> None:
    cookie = dict(scope["headers"]).get(b"cookie")
    session = unseal(cookie.removeprefix(b"session=")) if cookie else {"name": "Ada"}
    await answer(send, [*TEXT, (b"set-cookie", b"session=" + seal(session))], session["name"].encode())


def seal(session: dict[str, str]) -> bytes:
    content = base64.urlsafe_b64encode(json.dumps(session).encode())
    return content + b"." + hmac.digest(KEY, content, hashlib.sha1).hex().encode()


def unseal(value: bytes) -> dict[str, str]:
    content, _, signature = value.partition(b".")
    if not hmac.compare_digest(signature, hmac.digest(KEY, content, hashlib.sha1).hex().encode()):
        raise ValueError(value)
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(content))
    return found


async def take_order(scope: Any, receive: Any, send: Any) -> None:
    tenant = dict(scope["headers"])[b"x-tenant"].decode()
    order = Order.model_validate_json(await read(receive))
    await answer(send, JSON if tenant else TEXT, order.model_dump_json().encode())


async def read_by_hand(scope: Any, send: Any) -> None:
    _, _, shelf, number = scope["path"].split("/")
    query = parse_qs(scope["query_string"].decode())
    found = {"shelf": int(shelf), "number": int(number), "limit": int(query["limit"][0]), "order": query["order"][0]}
    await answer(send, JSON, json.dumps(found).encode())


async def echo_messages(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def five_layers(app: Any) -> Any:
    """The work of five layers in one: host, origin, encoding, session, a header."""

    async def layered(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        added = [(b"x-served-by", b"benchmark")]
        if b"origin" in headers:
            added.append((b"access-control-allow-origin", b"https://example.com"))
        if b"gzip" in headers.get(b"accept-encoding", b""):
            added.append((b"vary", b"Accept-Encoding"))
        scope["session"] = unseal(headers[b"cookie"]) if b"cookie" in headers else {}

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        if headers.get(b"host", b"localhost").partition(b":")[0] != b"localhost":
            await answer(send, TEXT, b"Bad host", 400)
        else:
            await app(scope, receive, send_with_headers)

    return layered

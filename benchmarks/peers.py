"""Who is compared."""

PEERS = ["raw", "slipway", "starlette", "fastapi", "litestar", "blacksheep", "falcon", "sanic", "quart", "django"]
# Those whose users declare what a handler takes; raw and starlette read it by hand.
TYPED_PEERS = ["raw", "slipway", "starlette", "fastapi", "litestar", "blacksheep"]
# What a program that uses a peer imports first; the bare callable needs nothing.
IMPORTS = {
    "slipway": "core.applications",
    "starlette": "starlette.applications",
    "fastapi": "fastapi",
    "litestar": "litestar",
    "blacksheep": "blacksheep",
    "falcon": "falcon.asgi",
    "sanic": "sanic",
    "quart": "quart",
    "django": "django.core.asgi",
}

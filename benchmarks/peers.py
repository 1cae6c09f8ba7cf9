"""Who is compared."""

PEERS = ["raw", "slipway", "starlette", "fastapi", "litestar", "blacksheep", "falcon", "sanic", "quart", "django"]
# Those whose users declare what a handler takes; raw and starlette read it by hand.
TYPED_PEERS = ["raw", "slipway", "starlette", "fastapi", "litestar", "blacksheep"]

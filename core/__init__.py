"""An ASGI toolkit: Starlette's documented interface, typed handlers, and what products need besides."""

__version__ = "1.10.0"

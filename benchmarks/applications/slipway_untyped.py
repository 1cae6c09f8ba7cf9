"""The application on `core` with Starlette's pages alone, for what must be compared like with like."""

from functools import partial

from benchmarks.applications import starlette_api

create = partial(starlette_api.create, package="core")

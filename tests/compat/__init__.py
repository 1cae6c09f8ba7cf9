"""Runs other people's programs on core, unmodified: FastAPI, administration sites, GraphQL, MCP, OAuth.

`python -m tests.compat` makes an environment of its own once, with Starlette in it because those programs ask for it, and
shows that none of them reaches it: `core.compat` gives them core. Arguments select: `python -m tests.compat fastapi mcp`.
"""

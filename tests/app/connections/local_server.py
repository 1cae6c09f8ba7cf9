"""The product as a real HTTP server on a loopback port, whose local OpenID provider the product under test talks to."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from httpx2 import AsyncClient, Response

from app.config import Settings
from app.config_providers import LogInProvider, local_provider
from app.database import Database
from app.main import create_app
from core.datastructures import Secret
from core.testclient import AsyncTestClient

SECRET = Secret("the-local-provider-knows-it")
REFRESH = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


@asynccontextmanager
async def local_server(settings: Settings, database: Database) -> AsyncIterator[LogInProvider]:
    """Serve the local provider; yields it as the settings of the product under test name it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        described = local_provider(base_url, SECRET)
        hosts = (*settings.allowed_hosts, "127.0.0.1")
        changed = replace(settings, base_url=base_url, allowed_hosts=hosts, log_in_providers=(described,))
        app = create_app(changed, database=database)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0)
        try:
            yield described
        finally:
            server.should_exit = True
            await running


async def depart(client: AsyncTestClient, provider: str = "local", **fields: str) -> str:
    """Press the provider's button; returns the address at the provider to which the page leads."""
    page = await client.post(f"/oauth/{provider}/start", data=fields)
    assert page.status_code == 200, page.text
    return refresh_of(page)


def refresh_of(page: Response) -> str:
    found = REFRESH.search(page.text)
    assert found is not None, page.text
    return found[1].replace("&amp;", "&")


async def consent(address: str, **who: str) -> str:
    """Be somebody at the local provider; returns the path and query of the callback to which it leads back."""
    chosen = {"name": "Ada Lovelace", "email": "ada@example.com", "is_verified": "true", **who}
    async with AsyncClient() as browser:
        asked = dict(parse_qsl(urlsplit(address).query))
        answer = await browser.post(address.partition("?")[0], data={**asked, **chosen})
    assert answer.status_code == 303, answer.text
    target = urlsplit(answer.headers["location"])
    return f"{target.path}?{target.query}"

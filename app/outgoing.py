"""Calls to other services over HTTP, every one bounded in time and size. The only module of the product that makes any."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx2 as httpx

LARGEST_ANSWER = 1024 * 1024  # Bytes.


class NoAnswer(Exception):
    """The other side did not answer, not in time, or with more than we take."""


class NotReached(NoAnswer):
    """There was no connection: the other side has not heard of the request."""


@dataclass(frozen=True)
class Answer:
    """What the other side said, whatever the status. `headers` have names in lower case."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json_object(self) -> dict[str, Any] | None:
        """The body's JSON object; None if it is anything else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None


async def call(
    method: str,
    url: str,
    *,
    deadline: float,
    headers: Mapping[str, str] | None = None,
    json_body: Any = None,  # Any: whatever JSON can say.
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    largest: int = LARGEST_ANSWER,
) -> Answer:
    """Ask `url` once and wait for the whole answer, at most `deadline` seconds and `largest` bytes. Raises NoAnswer, NotReached.

    A redirect is an answer like any other: following it would carry secrets to an address that nobody has checked.
    """
    try:
        # The library limits each read; only this limits all of them together.
        async with asyncio.timeout(deadline), _client(deadline) as client:
            request = client.build_request(
                method, url, headers=_headers(headers), json=json_body, data=form, content=content
            )
            response = await client.send(request, stream=True)
            try:
                return Answer(response.status_code, dict(response.headers), await _read(response, largest))
            finally:
                await response.aclose()
    except TimeoutError:
        raise NoAnswer(f"No answer within {deadline:g} seconds.") from None
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise NotReached(f"{type(error).__name__}: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Never the request itself: its headers hold the key.
        raise NoAnswer(f"{type(error).__name__}: {error}") from None


def _client(deadline: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=deadline, verify=_tls(), follow_redirects=False)


def _headers(given: Mapping[str, str] | None) -> dict[str, str]:
    """No compression: a small answer could unfold into a large one."""
    return {"accept": "application/json", "accept-encoding": "identity", **(given or {})}


async def _read(response: httpx.Response, largest: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoAnswer("A compressed answer, which was not asked for.")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > largest:
            raise NoAnswer(f"An answer of more than {largest} bytes.")
    return bytes(body)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than a request, so it is done once."""
    return httpx.create_ssl_context()

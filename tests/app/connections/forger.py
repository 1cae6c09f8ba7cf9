"""An OpenID provider that lies as it is told: right in everything, but for what a test changes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from app import clock

CLIENT_ID = "slipway"
NONCE = "the-nonce-of-this-log-in"
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "current"})
OTHER_KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "current"})
CURVE_KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "curve"})

Answer = Callable[["Forger"], tuple[int, list[str], bytes]]


@dataclass
class Forger:
    """What is sent, all of it open to change; and what was asked."""

    url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [KEY.as_dict(private=False)])
    id_token: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good ID token, changed; None takes one away."""
        now = int(clock.now().timestamp())
        good = {
            "iss": self.url,
            "sub": "248289761001",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": NONCE,
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada Lovelace",
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(self, **changes: Any) -> str:
        """A good ID token, but for its claims."""
        return jwt.encode({"alg": "RS256", "kid": "current"}, self.claims(**changes), KEY, algorithms=["RS256"])

    def _document(self) -> dict[str, Any]:
        good = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        }
        return {name: value for name, value in (good | self.metadata).items() if value is not None}

    def _answer(self, path: str) -> tuple[int, list[str], bytes]:
        if path in self.answers:
            return self.answers[path](self)
        bodies: dict[str, Callable[[], dict[str, Any]]] = {
            "/.well-known/openid-configuration": self._document,
            "/keys": lambda: {"keys": self.keys},
            "/token": lambda: {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token},
        }
        return (200, [], json.dumps(bodies[path]()).encode()) if path in bodies else (404, [], b"{}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            path = line.split(" ")[1]
            self.asked.append((path, headers, dict(parse_qsl(body.decode()))))
            await self._send(path, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _send(self, path: str, writer: asyncio.StreamWriter) -> None:
        status, headers, body = self._answer(path)
        head = [f"HTTP/1.1 {status} Answer", f"content-length: {len(body)}", "connection: close", *headers]
        writer.write("\r\n".join([*head, "", ""]).encode())
        if "x-trickle: yes" in headers:
            await self._trickle(writer, body)
        else:
            writer.write(body)
            await writer.drain()

    async def _trickle(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """A byte now and then: each read succeeds in time, the answer never ends."""
        while not self.closing.is_set():
            writer.write(body[:1])
            await writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), 0.02)


@asynccontextmanager
async def forger() -> AsyncIterator[Forger]:
    """A running provider."""
    found = Forger()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    found.id_token = found.sign()
    try:
        yield found
    finally:
        found.closing.set()
        server.close()
        await server.wait_closed()

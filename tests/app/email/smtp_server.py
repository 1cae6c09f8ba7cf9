"""A mail server on a loopback port, which takes messages, refuses them, or hangs up as it is told (RFC 5321)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

READY = "220 mail.example ESMTP"


@dataclass
class MailServer:
    """Answers `answers[verb]` where there is one ("" hangs up), else as a willing server does."""

    answers: dict[str, str]
    port: int = 0
    heard: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(f"{READY}\r\n".encode())
            while line := (await reader.readline()).decode().strip():
                self.heard.append(line)
                if not await self._answer(line.split(" ")[0].upper(), reader, writer):
                    break
        writer.close()

    async def _answer(self, verb: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        usual = {
            "EHLO": "250-mail.example\r\n250 AUTH PLAIN",
            "DATA": "354 go on",
            "AUTH": "235 welcome",
            "QUIT": "221 bye",
        }
        writer.write(f"{self.answers.get(verb, usual.get(verb, '250 fine'))}\r\n".encode())
        if verb == "DATA" and verb not in self.answers:
            content = (await reader.readuntil(b"\r\n.\r\n")).decode()
            self.messages.append(content)
            answer = self.answers.get("end of data", "250 queued")
            if not answer:
                return False
            writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        return verb != "QUIT"


@asynccontextmanager
async def mail_server(**answers: str) -> AsyncIterator[MailServer]:
    """A server that gives these answers; `end_of_data` is the one after the message."""
    mail = MailServer(
        {name.replace("_", " ") if name == "end_of_data" else name: value for name, value in answers.items()}
    )
    server = await asyncio.start_server(mail.serve, "127.0.0.1", 0)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()

"""A router in a thread of its own, with replicas that answer as a test scripts them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvloop

from controlplane.runtime.local.router.server import Router
from controlplane.runtime.local.router.table import Absence, Route

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HOST = "a.localhost"


class Routed:
    """`port` is the router's. Everything runs in the event loop of one thread."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.visited: list[str] = []
        self.router = Router(self.visited.append)
        self.router.bind(["127.0.0.1"], 0)
        self.port = self.router.port
        self.backend = self.router.backend("clove-1", "seat")
        self.router.set_routes("clove-1", [Route(HOST, "/", False, self.backend)])
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self.router.start())

    def run(self, work: Awaitable[object]) -> object:
        async def awaited() -> object:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(30)

    def call(self, function: Callable[..., object], *arguments: object) -> object:
        async def called() -> object:
            return function(*arguments)

        return self.run(called())

    def replica(self, talk: Talk) -> int:
        """The port of a replica that TALKs on each of its connections."""

        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                await talk(reader, writer)
            writer.close()

        server: Any = self.run(asyncio.start_server(guarded, "127.0.0.1", 0, backlog=1024))
        return server.sockets[0].getsockname()[1]

    def serve_from(self, *ports: int, absence: Absence = Absence.STARTING) -> None:
        self.call(self.backend.serve_from, ports, absence)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def ask(self, request: bytes) -> bytes:
        """What comes back until the router closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    def close(self) -> None:
        self.run(self.router.stop(grace_s=0))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)


def read_all(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def routed() -> Iterator[Routed]:
    router = Routed()
    try:
        yield router
    finally:
        router.close()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(response: bytes, seen: list[bytes] | None = None) -> Talk:
    """Answers each request without a body by RESPONSE, and notes it in SEEN."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            if seen is not None:
                seen.append(head)
            writer.write(response)
            await writer.drain()

    return talk


def recording(
    seen: list[bytes],
    response: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    *,
    end: bytes | tuple[bytes, ...] = (b"\r\n\r\n", b"END"),
) -> Talk:
    """Notes all bytes that come, and answers whenever they end in END."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = len(seen)
        seen.append(b"")
        while part := await reader.read(65536):
            seen[place] += part
            if seen[place].endswith(end):
                writer.write(response)
                await writer.drain()

    return talk

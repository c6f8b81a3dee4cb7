"""A small HTTP load generator: many keep-alive connections in one thread, each sending its next request when the last is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import uvloop

Body = bytes


@dataclass
class Load:
    """What came back. `latencies_s` are those of every answer."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    bytes_received: int = 0

    @property
    def count(self) -> int:
        return sum(self.statuses.values())

    def per_second(self, *statuses: int) -> float:
        """Answers a second with one of STATUSES, or of any."""
        wanted = sum(self.statuses[status] for status in statuses) if statuses else self.count
        return wanted / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000 if ordered else 0.0


def request(
    method: str, path: str, *, token: str = "", body: object = None, headers: dict[str, str] | None = None, host: str = "bench"
) -> bytes:
    """The bytes of an HTTP/1.1 request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], load: Load, seen: Callable[[int, Body], None] | None, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._load = load
        self._seen = seen
        self._done = done
        self._buffer = bytearray()
        self._needs = 0
        self._status = 0
        self._head = 0
        self._is_chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(following)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._head:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[: end + 2]).lower()
            self._status = int(head[9:12])
            self._head = end + 4
            at = head.find(b"\r\ncontent-length:")
            self._is_chunked = b"\r\ntransfer-encoding: chunked\r\n" in head
            self._needs = self._head + (int(head[at + 17 : head.index(b"\r\n", at + 2)]) if at >= 0 else 0)
        if not self._buffer.endswith(b"\r\n0\r\n\r\n") if self._is_chunked else len(self._buffer) < self._needs:
            return
        self._load.statuses[self._status] += 1
        self._load.latencies_s.append(time.perf_counter() - self._sent_at)
        self._load.bytes_received += len(self._buffer)
        if self._seen:
            body = bytes(self._buffer[self._head :])
            self._seen(self._status, _joined(body) if self._is_chunked else body)
        self._buffer.clear()
        self._head = 0
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _joined(chunks: bytes) -> bytes:
    parts = []
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size, 16)
        parts.append(chunks[:length])
        chunks = chunks[length + 2 :]
    return b"".join(parts)


async def drive_async(
    host: str, port: int, requests: Iterable[bytes], *, connections: int, seen: Callable[[int, Body], None] | None = None
) -> Load:
    """Send REQUESTS over CONNECTIONS, all of which are there before the first is sent, until they run out.

    SEEN gets the status and body of each answer. The clock runs from the first request to the last answer.
    """
    load = Load()
    source = iter(requests)
    loop = asyncio.get_running_loop()
    done = [loop.create_future() for _ in range(connections)]
    opened = [await loop.create_connection(lambda each=each: _Connection(source, load, seen, each), host, port) for each in done]
    started = time.perf_counter()
    for _transport, protocol in opened:
        protocol.send()
    await asyncio.gather(*done)
    load.seconds = time.perf_counter() - started
    return load


def drive(port: int, requests: Iterable[bytes], *, connections: int = 32, seen: Callable[[int, Body], None] | None = None) -> Load:
    """`drive_async` from code that is not asynchronous, on this machine."""
    return uvloop.run(drive_async("127.0.0.1", port, requests, connections=connections, seen=seen))

"""HTTP/1.1 for load generators: keep-alive connections of one event loop, one request at a time on each."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import NamedTuple
from urllib.parse import urlsplit

ANSWER_S = 60.0
"""An answer that takes longer is a failure: nothing waits for ever."""


class Answer(NamedTuple):
    """An answer of any status; names of HEADERS in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line(asyncio.Protocol):
    """One connection. A request on a line that has been closed raises ConnectionError."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self.is_open = False

    @classmethod
    async def to(cls, url: str) -> Line:
        parts = urlsplit(url)
        _, line = await asyncio.get_running_loop().create_connection(cls, parts.hostname or "", parts.port or 80)
        return line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.is_open = True

    async def send(self, raw: bytes) -> Answer:
        """The answer to RAW. Raises OSError, and TimeoutError after ANSWER_S."""
        if not self.is_open:
            raise ConnectionResetError("closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(raw)  # type: ignore[attr-defined]
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._answer
        except BaseException:
            self.close()
            raise

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None or self._answer.done():
            return
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        body = bytes(self._buffer[end + 4 :])
        if headers.get("transfer-encoding") == "chunked":
            if not body.endswith(b"0\r\n\r\n"):
                return
            body = joined(body)
        elif len(body) < int(headers.get("content-length", "0")):
            return
        self._buffer.clear()
        if headers.get("connection") == "close":
            self.close()
        self._answer.set_result(Answer(int(lines[0][9:12]), headers, body))

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed"))

    def close(self) -> None:
        self.is_open = False
        self._transport.close()


class Lines:
    """As many connections as are needed at once, by address; idle ones are used again."""

    def __init__(self) -> None:
        self._idle: defaultdict[str, list[Line]] = defaultdict(list)

    async def send(self, url: str, raw: bytes) -> Answer:
        """Send RAW to the host of URL. Raises OSError or TimeoutError."""
        idle = self._idle[url]
        line = None
        while idle and line is None:
            kept = idle.pop()
            line = kept if kept.is_open else None
        line = line or await Line.to(url)
        answer = await line.send(raw)
        if line.is_open:
            idle.append(line)
        return answer

    def close(self) -> None:
        for idle in self._idle.values():
            for line in idle:
                line.close()


def joined(chunks: bytes) -> bytes:
    """A chunked body's content."""
    parts = []
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size, 16)
        parts.append(chunks[:length])
        chunks = chunks[length + 2 :]
    return b"".join(parts)

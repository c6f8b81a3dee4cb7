"""The router's side towards a replica: a kept-alive connection that carries one request at a time."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from controlplane.runtime.local.router.chunks import ChunkReader
from controlplane.runtime.local.router.heads import MAX_HEAD_BYTES, BadHead, Response, read_response
from controlplane.runtime.local.router.table import Upstream

_NO_BODY = (204, 304)
_FIRST_FINAL = 200


class Asking(Protocol):
    """Who asked: hears the response to its one request, in this order."""

    is_head: bool

    def response_begins(self, response: Response) -> None: ...
    def response_continues(self, piece: bytes) -> None: ...
    def response_pauses(self) -> None:
        """Nothing more of it is here now: time to send on what came."""

    def response_ends(self, *, at_close: bool) -> None: ...
    def response_fails(self, *, reused: bool) -> None:
        """The connection is lost, or what came over it is no HTTP; a REUSED one may just have been closed for having been idle."""

    def request_may_flow(self, may_flow: bool) -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """`exchange` is None while it is idle in its upstream's pool."""

    __slots__ = ("_buffer", "_chunks", "_is_paused", "_left", "_response", "exchange", "idle_since", "is_reused", "transport", "upstream")

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.exchange: Asking | None = None
        self.idle_since = 0.0
        self.is_reused = False
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._buffer = b""
        self._is_paused = False
        self._response: Response | None = None
        self._left = 0
        self._chunks: ChunkReader | None = None

    def begin(self, exchange: Asking, data: bytes) -> None:
        """Send DATA, the start of a request, and tell EXCHANGE what comes of it."""
        self.exchange, self._response = exchange, None
        self.transport.write(data)

    def close(self) -> None:
        self.exchange = None
        self.transport.abort()

    def flow(self, may_flow: bool) -> None:
        """Read on, or let the replica wait while the client is slow."""
        if may_flow == self._is_paused and not self.transport.is_closing():
            self._is_paused = not may_flow
            if may_flow:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            if self in self.upstream.idle:
                self.upstream.idle.remove(self)
        elif self._response is not None and self._chunks is None and self._left < 0 and error is None:
            exchange.response_ends(at_close=True)
        else:
            exchange.response_fails(reused=self.is_reused and self._response is None)

    def pause_writing(self) -> None:
        if self.exchange:
            self.exchange.request_may_flow(False)

    def resume_writing(self) -> None:
        if self.exchange:
            self.exchange.request_may_flow(True)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:  # nobody asked
            self.transport.abort()
            return
        try:
            if self._response is None:
                self._take_head(exchange, data)
            else:
                self._take_body(exchange, data)
            if self.exchange is exchange:
                exchange.response_pauses()
        except BadHead:
            self.close()
            exchange.response_fails(reused=False)

    def _take_head(self, exchange: Asking, data: bytes) -> None:
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > MAX_HEAD_BYTES:
                    raise BadHead(502, "The head of the service's answer is too long.")
                self._buffer = data
                return
            response = read_response(data[: end + 2])
            data = data[end + 4 :]
            if response.status >= _FIRST_FINAL:
                break
            if response.status == 101:
                raise BadHead(502, "The service changed the protocol.")
        if exchange.is_head or response.status in _NO_BODY:
            response.is_chunked, self._left, self._chunks = False, 0, None
        elif response.is_chunked:
            self._left, self._chunks = -1, ChunkReader()
        else:
            self._left, self._chunks = -1 if response.length is None else response.length, None
        self._response = response
        if self._left < 0 and self._chunks is None:
            response.keeps_alive = False
        exchange.response_begins(response)
        if self.exchange is exchange and (data or not self._left):
            self._take_body(exchange, data)

    def _take_body(self, exchange: Asking, data: bytes) -> None:
        if self._chunks is not None:
            for piece in self._chunks.feed(data):
                exchange.response_continues(piece)
            is_done, surplus = self._chunks.is_done, self._chunks.rest
        elif self._left < 0:
            exchange.response_continues(data)
            return
        else:
            piece = data if len(data) <= self._left else data[: self._left]
            self._left -= len(piece)
            is_done, surplus = not self._left, data[len(piece) :]
            if piece:
                exchange.response_continues(piece)
        if is_done and self.exchange is exchange:
            if surplus and self._response is not None:
                self._response.keeps_alive = False
            exchange.response_ends(at_close=False)

    @property
    def can_be_kept(self) -> bool:
        return self._response is not None and self._response.keeps_alive and not self.transport.is_closing()

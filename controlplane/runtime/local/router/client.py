"""The router's side towards a client: reads requests, one at a time, and lets each be answered before the next."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Protocol, cast

from controlplane.lib.proxies import Networks, address_in, client_of, is_one_of
from controlplane.runtime.local.router import exchange, pages
from controlplane.runtime.local.router.chunks import LAST_CHUNK, ChunkReader, chunk
from controlplane.runtime.local.router.exchange import RESPONSE_S, Exchange
from controlplane.runtime.local.router.heads import MAX_HEAD_BYTES, BadHead, Request, headers, read_request
from controlplane.runtime.local.router.paths import Passage, passage
from controlplane.runtime.local.router.table import RouteTable

MAX_BODY_BYTES = 16 << 20
BUFFER_BYTES = 64 << 10
"""Of what a client sends ahead while its request is being answered."""
IDLE_S, HEAD_S, BODY_S, LINGER_S = 75.0, 15.0, 30.0, 2.0
_REFUSED_METHODS = (b"CONNECT", b"TRACE")
_METHODS_WITH_BODY = (b"POST", b"PUT", b"PATCH")


class State(Enum):
    IDLE = "before the first byte of a request"
    HEAD = "amid a head"
    BODY = "amid a request's body"
    RESPONSE = "the request is whole, its response is not"
    LINGER = "answered; what still comes is thrown away before closing, or the client might never read the answer"


class Surroundings(exchange.Surroundings, Protocol):
    """What connections have from the router."""

    routes: RouteTable
    clients: set[ClientConnection]

    trusted: Networks

    def next_request_id(self) -> bytes: ...


class ClientConnection(asyncio.Protocol):
    __slots__ = (
        "_around", "_body_left", "_body_size", "_buffer", "_chunks", "_closes", "_exchange", "_forwarded", "_is_paused",
        "_is_read", "_proxy", "_request", "_state", "_transport", "deadline",
    )  # fmt: skip

    def __init__(self, around: Surroundings) -> None:
        self.deadline = around.now + IDLE_S
        self._around = around
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._forwarded = b""
        self._proxy = ""
        """The address of the proxy of one's own that this is; empty for anybody else."""
        self._state = State.IDLE
        self._buffer = b""
        self._is_paused = False
        self._is_read = True
        """The client reads what is written to it."""
        self._closes = False
        """After the answer to the request at hand."""
        self._request: Request | None = None
        self._exchange: Exchange | None = None
        self._chunks: ChunkReader | None = None
        self._body_left = 0
        self._body_size = 0

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._around.clients.add(self)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]).partition("%")[0] if peer else "unknown"
        self._forwarded = _forwarded(address, "http")
        found = address_in(address) if self._around.trusted else None
        self._proxy = address if found and is_one_of(found, self._around.trusted) else ""

    def connection_lost(self, error: Exception | None) -> None:
        self._around.clients.discard(self)
        self._state = State.LINGER
        if self._exchange:
            self._exchange.abandon()
            self._exchange = None

    def pause_writing(self) -> None:
        self._is_read = False
        if self._exchange:
            self._exchange.response_may_flow(False)

    def resume_writing(self) -> None:
        self._is_read = True
        if self._exchange:
            self._exchange.response_may_flow(True)
        self._take_next()

    def data_received(self, data: bytes) -> None:
        state = self._state
        if state is State.IDLE and not self._is_read:  # who does not read the answers it has gets no more of them
            self._buffer += data
            self.may_send(False)
        elif state is State.IDLE or state is State.HEAD:
            self._take_head(self._buffer + data if self._buffer else data)
        elif state is State.BODY:
            self.deadline = self._around.now + BODY_S
            self._take_body(data)
        elif state is State.RESPONSE:
            self._buffer += data
            if len(self._buffer) > BUFFER_BYTES:
                self.may_send(False)

    def expired(self) -> None:
        """The deadline is over: answer if that can be, and close."""
        has_begun = self._exchange is not None and self._exchange.has_begun
        if self._state in (State.HEAD, State.BODY) and not has_begun:
            self.refuse(408, "timeout")
        elif self._state is State.RESPONSE and not has_begun:
            self.refuse(504, "gateway_timeout")
        else:
            self._transport.abort()

    def close_when_idle(self) -> None:
        """No further request is taken; the one under way ends."""
        if self._state is State.IDLE:
            self._transport.close()
        self._closes = True

    # The request.

    def _take_head(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):  # RFC 9112 2.2: left behind by old clients after a body
            data = data[2:]
        end = data.find(b"\r\n\r\n")
        if end < 0 and len(data) <= MAX_HEAD_BYTES:
            if self._state is State.IDLE:
                self._state, self.deadline = State.HEAD, self._around.now + HEAD_S
            self._buffer = data
            return
        self._state = State.HEAD
        try:
            if not 0 <= end <= MAX_HEAD_BYTES:
                raise BadHead(431, "The head is too long.")
            request = self._request = read_request(data[: end + 2])
        except BadHead as error:
            self.refuse(error.status, "bad_request")
        else:
            self._buffer = data[end + 4 :]
            self._begin(request)

    def _begin(self, request: Request) -> None:
        self._closes |= not request.keeps_alive
        if request.method in _REFUSED_METHODS:
            return self.refuse(405, "method_not_allowed")
        path = request.target.partition(b"?")[0]
        verdict = passage(path)
        if verdict is Passage.AMBIGUOUS:
            return self.refuse(400, "bad_request")
        route = self._around.routes.match(request.host, path)
        if route is None or verdict is Passage.HIDDEN:
            return self.answer(404, "not_found" if self._around.routes.has_host(request.host) else "unknown_host")
        if request.length > MAX_BODY_BYTES:
            return self.refuse(413, "too_large")
        under_way = self._exchange = Exchange(self, self._around, request, route, self._head_for_replica(request))
        if not request.is_chunked and not request.length:
            self._request_is_whole(under_way)
        else:
            self._state, self.deadline = State.BODY, self._around.now + BODY_S
            self._body_left, self._body_size, self._chunks = request.length, 0, ChunkReader() if request.is_chunked else None
            if self._buffer:
                data, self._buffer = self._buffer, b""
                self._take_body(data)
            elif request.expects_continue:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._exchange is under_way:  # not refused for its body
            under_way.dispatch()
        return None

    def _head_for_replica(self, request: Request) -> bytes:
        lines = b"\r\n".join(request.lines)
        if request.is_chunked:
            framing = b"transfer-encoding: chunked\r\n"
        elif request.length or request.method in _METHODS_WITH_BODY:
            framing = b"content-length: %d\r\n" % request.length
        else:
            framing = b""
        return b"%b %b HTTP/1.1\r\nhost: %b\r\n%b%b%b%b\r\nx-request-id: %b\r\n\r\n" % (
            request.method,
            request.target,
            request.host,
            lines + b"\r\n" if lines else b"",
            framing,
            self._said(request) if self._proxy else self._forwarded,
            request.host,
            request.request_id or self._around.next_request_id(),
        )

    def _said(self, request: Request) -> bytes:
        """For whom, and how, a proxy of one's own says that it asks."""
        seen = headers(request.head, b"x-forwarded-for").decode("latin-1")
        scheme = "https" if headers(request.head, b"x-forwarded-proto").lower() == b"https" else "http"
        return _forwarded(client_of(self._proxy, seen, self._around.trusted), scheme)

    def _take_body(self, data: bytes) -> None:
        under_way = self._exchange
        if under_way is None:
            return None
        if self._chunks is None:
            piece = data if len(data) <= self._body_left else data[: self._body_left]
            self._body_left -= len(piece)
            under_way.pass_on(piece)
            if not self._body_left:
                self._buffer = data[len(piece) :]
                self._request_is_whole(under_way)
            return None
        try:
            pieces = self._chunks.feed(data)
        except BadHead as error:
            return self.refuse(error.status, "bad_request")
        self._body_size += sum(map(len, pieces))
        if self._body_size > MAX_BODY_BYTES:
            return self.refuse(413, "too_large")
        for piece in pieces:
            under_way.pass_on(chunk(piece))
        if self._chunks.is_done:
            under_way.pass_on(LAST_CHUNK)
            self._buffer = self._chunks.rest
            self._request_is_whole(under_way)
        return None

    def _request_is_whole(self, under_way: Exchange) -> None:
        under_way.is_whole = True
        self._state, self.deadline = State.RESPONSE, self._around.now + under_way.timeout_s

    # The answer.

    @property
    def closes(self) -> bool:
        return self._closes

    def may_send(self, may_send: bool) -> None:
        if may_send == self._is_paused:
            self._is_paused = not may_send
            if may_send:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def write(self, data: bytes) -> None:
        self.deadline = self._around.now + RESPONSE_S
        self._transport.write(data)

    def cut(self) -> None:
        self._transport.abort()

    def answer(self, status: int, code: str) -> None:
        """Answer by itself; the connection is kept unless the request has a body that would have to be read first."""
        request = self._request
        has_body = request is not None and (request.is_chunked or request.length > 0)
        closes = self._closes or (has_body and self._state is not State.RESPONSE)
        is_head = request is not None and request.method == b"HEAD"
        self._transport.write(pages.answer(status, code, head=request.head if request else b"", is_head=is_head, closes=closes))
        self.answered(closes=closes)

    def refuse(self, status: int, code: str) -> None:
        """Answer and close: what follows cannot be made out, or is not wanted."""
        self._closes = True
        if self._exchange:
            self._exchange.abandon()
        self.answer(status, code)

    def answered(self, *, closes: bool) -> None:
        """Go on to the next request, or close."""
        if self._exchange:
            self._exchange.is_over = True
        lingers = self._state is not State.RESPONSE
        self._request = self._exchange = self._chunks = None
        if not closes and not self._closes:
            self._state, self.deadline = State.IDLE, self._around.now + IDLE_S
            self.may_send(True)
            if self._buffer:
                asyncio.get_running_loop().call_soon(self._take_next)
            return
        self._state, self._buffer = State.LINGER, b""
        if lingers:
            self.deadline = self._around.now + LINGER_S
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self.may_send(True)
        else:
            self._transport.close()

    def _take_next(self) -> None:
        if self._state is State.IDLE and self._buffer and self._is_read and not self._transport.is_closing():
            self.may_send(True)
            self._take_head(self._buffer)


def _forwarded(address: str, scheme: str) -> bytes:
    return f"x-forwarded-for: {address}\r\nx-forwarded-proto: {scheme}\r\nx-forwarded-host: ".encode("latin-1")

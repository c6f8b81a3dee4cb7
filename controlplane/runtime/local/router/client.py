"""The router's side towards a client: reads requests, one at a time, and passes them to a replica and its answer back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Protocol, cast

from controlplane.runtime.local.router import pages
from controlplane.runtime.local.router.chunks import LAST_CHUNK, ChunkReader, chunk
from controlplane.runtime.local.router.heads import MAX_HEAD_BYTES, BadHead, Request, Response, read_request
from controlplane.runtime.local.router.paths import Passage, passage
from controlplane.runtime.local.router.table import Absence, Backend, Route, RouteTable, Upstream
from controlplane.runtime.local.router.upstream import UpstreamConnection

MAX_BODY_BYTES = 16 << 20
REPLAY_BYTES = 64 << 10
"""A request up to this size is kept until its answer begins, so that another replica can be asked."""
BUFFER_BYTES = 64 << 10
IN_FLIGHT = 256
"""Requests under way to one replica; more wait here, where they cost little, and not in its accept queue."""
IDLE_S, HEAD_S, BODY_S, RESPONSE_S, LINGER_S = 75.0, 15.0, 30.0, 60.0, 2.0
_REFUSED_METHODS = (b"CONNECT", b"TRACE")


class State(Enum):
    IDLE = "before the first byte of a request"
    HEAD = "amid a head"
    BODY = "amid a request's body"
    RESPONSE = "the request is whole, its response is not"
    LINGER = "answered; what still comes is thrown away before closing, or the client might never read the answer"


class Surroundings(Protocol):
    """What connections have from the router. `now` is the time, good to a second, that costs nothing."""

    now: float
    routes: RouteTable
    clients: set[ClientConnection]

    def next_request_id(self) -> bytes: ...
    def connect(self, upstream: Upstream, done: Callable[[UpstreamConnection | None], None]) -> None: ...
    def visited(self, namespace: str) -> None: ...


class ClientConnection(asyncio.Protocol):
    __slots__ = (
        "_around", "_body_left", "_body_size", "_buffer", "_chunks", "_close_after", "_connection", "_forwarded", "_is_paused", "_is_read",
        "_is_rechunking", "_replay", "_replay_size", "_request", "_response_began", "_route", "_state", "_transport", "_tried", "_unsent",
        "_upstream", "deadline", "is_head",
    )  # fmt: skip

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._forwarded = b""
        self._state = State.IDLE
        self._buffer = b""
        self._is_paused = False
        self._is_read = True
        """The client reads what is written to it."""
        self.deadline = around.now + IDLE_S
        self._reset()

    def _reset(self) -> None:
        self._request: Request = cast(Request, None)
        self._route: Route = cast(Route, None)
        self._upstream: Upstream | None = None
        self._connection: UpstreamConnection | None = None
        self._tried: tuple[Upstream, ...] = ()
        self._replay: list[bytes] | None = None
        self._replay_size = 0
        self._body_left = 0
        self._body_size = 0
        self._chunks: ChunkReader | None = None
        self._response_began = False
        self._is_rechunking = False
        self._unsent: list[bytes] = []
        self._close_after = False
        self.is_head = False

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._around.clients.add(self)
        peer = transport.get_extra_info("peername")
        address = str(peer[0]).partition("%")[0] if peer else "unknown"
        self._forwarded = f"x-forwarded-for: {address}\r\nx-forwarded-proto: http\r\nx-forwarded-host: ".encode()

    def connection_lost(self, error: Exception | None) -> None:
        self._around.clients.discard(self)
        self._state = State.LINGER
        self._let_go(keep=False)

    def pause_writing(self) -> None:
        self._is_read = False
        if self._connection:
            self._connection.flow(False)

    def resume_writing(self) -> None:
        self._is_read = True
        if self._connection:
            self._connection.flow(True)
        self._take_next()

    def data_received(self, data: bytes) -> None:
        state = self._state
        if not self._is_read and state is State.IDLE:  # who does not read the answers it has gets no more of them
            self._buffer += data
            self._pause()
        elif state is State.IDLE or state is State.HEAD:
            self._take_head(self._buffer + data if self._buffer else data)
        elif state is State.BODY:
            self.deadline = self._around.now + BODY_S
            self._take_body(data)
        elif state is State.RESPONSE:
            self._buffer += data
            if len(self._buffer) > BUFFER_BYTES:
                self._pause()

    def expired(self) -> None:
        """The deadline is over: answer if that can be, and close."""
        if self._state in (State.HEAD, State.BODY) and not self._response_began:
            self._refuse(408, "timeout")
        elif self._state is State.RESPONSE and not self._response_began:
            self._refuse(504, "gateway_timeout")
        else:
            self._transport.abort()

    def close_when_idle(self) -> None:
        """No further request is taken; the one under way ends."""
        if self._state is State.IDLE:
            self._transport.close()
        self._close_after = True

    def abort(self) -> None:
        self._transport.abort()

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
            self._buffer = b""
            self._refuse(error.status, "bad_request")
            return
        self._buffer = data[end + 4 :]
        self._begin(request)

    def _begin(self, request: Request) -> None:
        self.is_head = request.method == b"HEAD"
        self._close_after |= not request.keeps_alive
        path = request.target.partition(b"?")[0]
        if request.method in _REFUSED_METHODS:
            return self._refuse(405, "method_not_allowed")
        verdict = passage(path)
        if verdict is Passage.AMBIGUOUS:
            return self._refuse(400, "bad_request")
        route = self._around.routes.match(request.host, path)
        if route is None or verdict is Passage.HIDDEN:
            return self._answer(404, "not_found" if self._around.routes.has_host(request.host) else "unknown_host")
        if request.length > MAX_BODY_BYTES:
            return self._refuse(413, "too_large")
        self._route = route
        head = self._head_for_upstream(request)
        self._replay, self._replay_size = [head], len(head)
        self._body_left, self._chunks = request.length, ChunkReader() if request.is_chunked else None
        has_body = request.is_chunked or request.length > 0
        self._state = State.BODY if has_body else State.RESPONSE
        self.deadline = self._around.now + (BODY_S if has_body else route.timeout_s or RESPONSE_S)
        if request.expects_continue and has_body and not self._buffer:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if has_body and self._buffer:
            data, self._buffer = self._buffer, b""
            self._take_body(data)
        if self._request is request and self._upstream is None and self._state is not State.LINGER:
            self._dispatch()
        return None

    def _head_for_upstream(self, request: Request) -> bytes:
        lines = b"\r\n".join(request.lines)
        if request.is_chunked:
            framing = b"transfer-encoding: chunked\r\n"
        elif request.length or request.method in (b"POST", b"PUT", b"PATCH"):
            framing = b"content-length: %d\r\n" % request.length
        else:
            framing = b""
        return b"%b %b HTTP/1.1\r\nhost: %b\r\n%b%b%b%b\r\nx-request-id: %b\r\n\r\n" % (
            request.method,
            request.target,
            request.host,
            lines + b"\r\n" if lines else b"",
            framing,
            self._forwarded,
            request.host,
            request.request_id or self._around.next_request_id(),
        )

    def _take_body(self, data: bytes) -> None:
        if self._chunks is None:
            piece = data if len(data) <= self._body_left else data[: self._body_left]
            self._body_left -= len(piece)
            self._pass_on(piece)
            if self._body_left:
                return None
            self._buffer = data[len(piece) :]
        else:
            try:
                pieces = self._chunks.feed(data)
            except BadHead as error:
                return self._refuse(error.status, "bad_request")
            self._body_size += sum(map(len, pieces))
            if self._body_size > MAX_BODY_BYTES:
                return self._refuse(413, "too_large")
            for piece in pieces:
                self._pass_on(chunk(piece))
            if not self._chunks.is_done:
                return None
            self._pass_on(LAST_CHUNK)
            self._buffer = self._chunks.rest
        self._state = State.RESPONSE
        self.deadline = self._around.now + (self._route.timeout_s or RESPONSE_S)
        return None

    def _pass_on(self, data: bytes) -> None:
        """Send DATA to the replica, once there is one; keep it as long as another may have to be asked."""
        if self._connection:
            self._connection.transport.write(data)
        if self._replay is not None:
            self._replay.append(data)
            self._replay_size += len(data)
            if self._replay_size > REPLAY_BYTES:
                if self._connection:
                    self._replay = None
                else:
                    self._pause()

    # The replica.

    def _dispatch(self) -> None:
        """Give the request to a replica that was not tried yet, as soon as one has room."""
        backend = self._route.backend
        upstream = backend.pick(self._tried)
        if upstream is None:
            return self._answer_absence()
        if upstream.in_flight >= IN_FLIGHT:
            backend.waiting.append(self)
            return None
        self._upstream = upstream
        upstream.in_flight += 1
        if upstream.idle:
            connection = upstream.idle.pop()
            connection.is_reused = True
            self._connected(connection)
        else:
            self._around.connect(upstream, self._connected)
        return None

    def resume_dispatch(self, backend: Backend) -> bool:
        """Go on, should this request still wait for BACKEND: its client may have gone, or been answered that it took too long."""
        is_waiting = self._upstream is None and self._replay is not None and self._state in (State.BODY, State.RESPONSE)
        if not is_waiting or self._route.backend is not backend:
            return False
        self._dispatch()
        return True

    def _connected(self, connection: UpstreamConnection | None) -> None:
        upstream = self._upstream
        if upstream is None or self._replay is None:  # the client went away meanwhile, or was answered
            if connection:
                connection.close()
            return None
        if connection is None:  # refused: nothing was sent, so anybody else may be asked
            self._tried += (upstream,)
            self._let_go(keep=False)
            return self._dispatch()
        self._connection = connection
        connection.begin(self, self._replay[0] if len(self._replay) == 1 else b"".join(self._replay))
        if self._replay_size > REPLAY_BYTES:
            self._replay = None
        self._resume()
        return None

    def _let_go(self, *, keep: bool) -> None:
        """Be done with the replica; KEEP its connection for others."""
        upstream, connection = self._upstream, self._connection
        if upstream is None:
            return
        self._upstream = self._connection = None
        upstream.in_flight -= 1
        if connection:
            connection.exchange = None
            if keep and connection.can_be_kept and not upstream.is_leaving:
                connection.idle_since = self._around.now
                connection.flow(True)
                upstream.idle.append(connection)
            else:
                connection.close()
        self._route.backend.next_waiting()

    def request_may_flow(self, may_flow: bool) -> None:
        if may_flow:
            self._resume()
        else:
            self._pause()

    # The response.

    def response_begins(self, response: Response) -> None:
        self._response_began = True
        self._replay = None
        if self._state is State.BODY:  # answered before it was read: no next request can be told from this one's rest
            self._close_after = True
        self._is_rechunking = response.is_chunked and self._request.minor == b"1"
        ends_at_close = response.length is None and not self._is_rechunking and not (self.is_head or response.status in (204, 304))
        self._close_after |= ends_at_close
        parts = [b"HTTP/1.1 %d %b" % (response.status, pages.phrase(response.status)), *response.lines]
        if self._is_rechunking:
            parts.append(b"transfer-encoding: chunked")
        elif response.length is not None:
            parts.append(b"content-length: %d" % response.length)
        if self._close_after:
            parts.append(b"connection: close")
        parts.append(b"\r\n")
        self._unsent.append(b"\r\n".join(parts))

    def response_continues(self, piece: bytes) -> None:
        self._unsent.append(chunk(piece) if self._is_rechunking else piece)

    def response_pauses(self) -> None:
        if self._unsent:
            self.deadline = self._around.now + RESPONSE_S
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    def response_ends(self, *, at_close: bool) -> None:
        if self._is_rechunking:
            self._unsent.append(LAST_CHUNK)
        self.response_pauses()
        is_whole = self._state is State.RESPONSE
        self._let_go(keep=is_whole and not at_close)
        self._finish(lingers=not is_whole)

    def response_fails(self, *, began: bool, reused: bool, reason: str) -> None:
        upstream = self._upstream
        self._let_go(keep=False)
        if began:
            self._transport.abort()  # cut short, and seen to be
        elif self._replay is not None and self._request.can_repeat and upstream:
            # An idle connection may have been closed just now by a replica that is well; it may be asked again, others only once.
            self._tried += () if reused else (upstream,)
            self._dispatch()
        else:
            self._refuse(502, "bad_gateway")

    # Answers of the router itself.

    def _answer_absence(self) -> None:
        backend = self._route.backend
        if backend.absence is Absence.STOPPED:
            return self._answer(503, "stopped")
        if backend.absence is Absence.DOWN or self._tried:
            return self._answer(503, "unavailable")
        self._around.visited(backend.namespace)
        return self._answer(503, "starting")

    def _answer(self, status: int, code: str) -> None:
        """Answer STATUS; the connection is kept when the request has no body that would have to be read first."""
        request = self._request
        has_body = request is not None and (request.is_chunked or request.length > 0)
        self._close_after |= has_body and self._state is not State.RESPONSE
        lingers = self._close_after and self._state is not State.RESPONSE
        self._replay = None
        self._transport.write(
            pages.answer(status, code, head=request.head if request else b"", is_head=self.is_head, closes=self._close_after)
        )
        self._finish(lingers=lingers)

    def _refuse(self, status: int, code: str) -> None:
        """Answer STATUS and close: what follows cannot be made out, or is not wanted."""
        self._close_after = True
        self._let_go(keep=False)
        self._answer(status, code)

    def _finish(self, *, lingers: bool) -> None:
        """The response is written: go on to the next request, or close."""
        closes = self._close_after
        self._reset()
        if closes and lingers:
            self._state, self._buffer, self.deadline = State.LINGER, b"", self._around.now + LINGER_S
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._resume()
        elif closes:
            self._state = State.LINGER
            self._transport.close()
        else:
            self._state, self.deadline = State.IDLE, self._around.now + IDLE_S
            self._resume()
            if self._buffer:
                asyncio.get_running_loop().call_soon(self._take_next)

    def _take_next(self) -> None:
        if self._state is State.IDLE and self._buffer and self._is_read and not self._transport.is_closing():
            self._resume()
            self._take_head(self._buffer)

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

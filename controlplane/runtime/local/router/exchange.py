"""One request on its way to a replica, and the answer on its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from controlplane.runtime.local.router import pages
from controlplane.runtime.local.router.chunks import LAST_CHUNK, chunk
from controlplane.runtime.local.router.heads import Request, Response
from controlplane.runtime.local.router.table import Absence, Backend, Route, Upstream
from controlplane.runtime.local.router.upstream import UpstreamConnection

REPLAY_BYTES = 64 << 10
"""A request up to this size is kept until its answer begins, so that another replica can be asked."""
HOLD_BYTES = 64 << 10
"""An answer up to this size is sent when it is whole: until then its replica may die, and another be asked, unseen by the client."""
IN_FLIGHT = 256
"""Requests under way to one replica; more wait here, where they cost little, and not in its accept queue."""
RESPONSE_S = 60.0
_NO_BODY = (204, 304)


class Client(Protocol):
    """Who asked. `closes`: the client, or the router, wants no further request on the connection."""

    @property
    def closes(self) -> bool: ...
    def may_send(self, may_send: bool) -> None: ...
    def write(self, data: bytes) -> None: ...
    def answered(self, *, closes: bool) -> None:
        """The answer is written whole; CLOSES: the connection ends with it."""

    def cut(self) -> None:
        """The answer ends in its midst: the connection must too, so that this is seen."""

    def refuse(self, status: int, code: str) -> None: ...
    def answer(self, status: int, code: str) -> None: ...


class Surroundings(Protocol):
    """What an exchange has from the router. `now` is the time, good to a second, that costs nothing."""

    now: float

    def connect(self, upstream: Upstream, done: Callable[[UpstreamConnection | None], None]) -> None: ...
    def visited(self, namespace: str) -> None: ...


class Exchange:
    """From the head of a request to the end of its answer, or until `abandon`. HEAD is the request's, as replicas get it."""

    __slots__ = (
        "_around", "_client", "_connection", "_is_rechunking", "_replay", "_replay_size", "_request", "_response_closes",
        "_route", "_tried", "_unsent", "_upstream", "has_begun", "is_head", "is_over", "is_whole",
    )  # fmt: skip

    def __init__(self, client: Client, around: Surroundings, request: Request, route: Route, head: bytes) -> None:
        self.is_head = request.method == b"HEAD"
        self.is_whole = False
        """All of the request has come; set by the client's connection."""
        self.has_begun = False
        """Something of the answer was sent, or will be in any case."""
        self.is_over = False
        self._client, self._around, self._request, self._route = client, around, request, route
        self._upstream: Upstream | None = None
        self._connection: UpstreamConnection | None = None
        self._tried: tuple[Upstream, ...] = ()
        self._replay: list[bytes] | None = [head]
        self._replay_size = len(head)
        self._unsent: list[bytes] = []
        self._is_rechunking = False
        self._response_closes = False

    @property
    def timeout_s(self) -> float:
        return self._route.timeout_s or RESPONSE_S

    # The request.

    def pass_on(self, data: bytes) -> None:
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
                    self._client.may_send(False)

    def dispatch(self) -> None:
        """Give the request to a replica that was not tried yet, as soon as one has room."""
        backend = self._route.backend
        upstream = backend.pick(self._tried)
        if upstream is None:
            self._answer_absence(backend)
        elif upstream.in_flight >= IN_FLIGHT:
            backend.waiting.append(self)
        else:
            self._upstream = upstream
            upstream.in_flight += 1
            if upstream.idle:
                connection = upstream.idle.pop()
                connection.is_reused = True
                self._connected(connection)
            else:
                self._around.connect(upstream, self._connected)

    def resume_dispatch(self, backend: Backend) -> bool:
        """Go on, should the request still wait: its client may have gone, or been told that it took too long."""
        if self.is_over or self._upstream is not None:
            return False
        self.dispatch()
        return True

    def request_may_flow(self, may_flow: bool) -> None:
        self._client.may_send(may_flow)

    def response_may_flow(self, may_flow: bool) -> None:
        """The client reads what is written to it, or is behind."""
        if self._connection:
            self._connection.flow(may_flow)

    def abandon(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_over = True
        self._let_go(keep=False)

    def _connected(self, connection: UpstreamConnection | None) -> None:
        upstream = self._upstream
        if upstream is None or self._replay is None:  # abandoned meanwhile
            if connection:
                connection.close()
        elif connection is None:  # refused: nothing was sent, so anybody else may be asked
            self._tried += (upstream,)
            self._let_go(keep=False)
            self.dispatch()
        else:
            self._connection = connection
            connection.begin(self, self._replay[0] if len(self._replay) == 1 else b"".join(self._replay))
            if self._replay_size > REPLAY_BYTES:
                self._replay = None
            self._client.may_send(True)

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
        if self._route.backend.waiting:
            self._route.backend.next_waiting()

    def _answer_absence(self, backend: Backend) -> None:
        if backend.absence is Absence.STARTING and not self._tried:
            self._around.visited(backend.namespace)
            self._client.answer(503, "starting")
        else:
            self._client.answer(503, "stopped" if backend.absence is Absence.STOPPED else "unavailable")

    # The answer.

    def response_begins(self, response: Response) -> None:
        self.has_begun = not self.is_whole or response.length is None or response.length > HOLD_BYTES
        if self.has_begun:
            self._replay = None
        self._is_rechunking = response.is_chunked and self._request.minor == b"1"
        has_body = not self.is_head and response.status not in _NO_BODY
        # Ends with the connection: a body without a length, and one whose request was not read whole, after which no other can be told.
        self._response_closes = (
            self._client.closes or not self.is_whole or (has_body and response.length is None and not self._is_rechunking)
        )
        parts = [b"HTTP/1.1 %d %b" % (response.status, pages.phrase(response.status)), *response.lines]
        if self._is_rechunking:
            parts.append(b"transfer-encoding: chunked")
        elif response.length is not None:
            parts.append(b"content-length: %d" % response.length)
        if self._response_closes:
            parts.append(b"connection: close")
        parts.append(b"\r\n")
        self._unsent.append(b"\r\n".join(parts))

    def response_continues(self, piece: bytes) -> None:
        self._unsent.append(chunk(piece) if self._is_rechunking else piece)

    def response_pauses(self) -> None:
        if self.has_begun and self._unsent:
            self._client.write(b"".join(self._unsent))
            self._unsent.clear()

    def response_ends(self, *, at_close: bool) -> None:
        if self._is_rechunking:
            self._unsent.append(LAST_CHUNK)
        self.has_begun = True
        self.response_pauses()
        self.is_over = True
        self._let_go(keep=self.is_whole and not at_close)
        self._client.answered(closes=self._response_closes)

    def response_fails(self, *, reused: bool) -> None:
        upstream = self._upstream
        self._let_go(keep=False)
        if self.has_begun:
            self._client.cut()
        elif self._replay is not None and self._request.can_repeat and upstream:
            # An idle connection may have been closed just now by a replica that is well; it may be asked again, others only once.
            self._tried += () if reused else (upstream,)
            self._unsent.clear()
            self.dispatch()
        else:
            self._client.refuse(502, "bad_gateway")

"""HTTP/1.1 over kept connections, and exact about what is known when a call fails.

CallError
├── NotSent      no connection was made: the request surely did nothing
└── BrokenOff    sent at least in part, and no whole answer came: it may have been carried out

The protocol is read by httptools, the parser that uvicorn uses. A purchase makes four calls between services, and a fuller client costs
several times as much a call.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import SplitResult, urlsplit

from httptools import HttpParserError, HttpResponseParser

KEPT = 32
"""Idle connections that are kept to one address."""
IDLE_S = 30.0
"""Who was idle for longer may have been forgotten on the way: gateways that translate addresses do so without a word to either side."""
PIECE = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class CallError(Exception):
    """Says the kind of failure, never what was sent."""


class NotSent(CallError):
    pass


class BrokenOff(CallError):
    pass


@dataclass(frozen=True)
class Answer:
    """An answer of any status; names of HEADERS in small letters, the last of a name counts."""

    status: int
    content: bytes
    headers: Mapping[str, str]


@dataclass
class _Reading:
    """What the parser has found of one answer."""

    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    is_whole: bool = False
    may_stay: bool = False
    """Whether the connection may serve another call."""

    def __post_init__(self) -> None:
        self.parser = HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole, self.may_stay = True, self.parser.should_keep_alive()  # the parser knows it here, and not afterwards


class Connections:
    """Connections by address. Thread-safe: a connection is one call's alone while it lasts."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, str], deque[tuple[socket.socket, float]]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.opened = 0
        """How many connections were ever made."""

    def request(self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str], connect_s: float, read_s: float) -> Answer:
        """Send and read the whole answer; redirects are answers. READ_S bounds each wait for bytes. Raises NotSent or BrokenOff, and
        ValueError for what cannot stand in a request's head."""
        parts = urlsplit(url)
        packet = _packet(method, parts, headers, body)
        address = (parts.scheme, parts.netloc)
        kept = self._kept(address)
        connection = kept or self._connect(parts, connect_s)
        try:
            connection.settimeout(read_s)
            connection.sendall(packet)
            reading = _read(connection)
        except (OSError, HttpParserError) as error:
            connection.close()
            if kept is not None:
                self._drop(address)  # what has become of this one has become of the others
            raise BrokenOff(type(error).__name__) from None
        except BaseException:
            connection.close()
            raise
        if reading.may_stay:
            self._keep(address, connection)
        else:
            connection.close()
        return Answer(reading.parser.get_status_code(), b"".join(reading.pieces), reading.headers)

    def clear(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection, _since in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _kept(self, address: tuple[str, str]) -> socket.socket | None:
        """An idle connection that is still open. The one used last comes first, so that the others may end."""
        while True:
            with self._lock:
                if not self._idle[address]:
                    return None
                connection, since = self._idle[address].pop()
            if time.monotonic() - since >= IDLE_S:
                self._drop(address)  # the others are older
            elif not _has_ended(connection):
                return connection
            connection.close()

    def _drop(self, address: tuple[str, str]) -> None:
        """Close what is idle to ADDRESS."""
        with self._lock:
            idle = self._idle.pop(address, ())
        for connection, _since in idle:
            connection.close()

    def _keep(self, address: tuple[str, str], connection: socket.socket) -> None:
        with self._lock:
            if len(self._idle[address]) < KEPT:
                self._idle[address].append((connection, time.monotonic()))
                return
        connection.close()

    def _connect(self, parts: SplitResult, connect_s: float) -> socket.socket:
        is_secure = parts.scheme == "https"
        try:
            host = parts.hostname or ""
            connection = socket.create_connection((host, parts.port or (443 if is_secure else 80)), timeout=connect_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if is_secure:
                connection = _tls().wrap_socket(connection, server_hostname=host)
        except (OSError, ValueError) as error:
            raise NotSent(type(error).__name__) from None
        self.opened += 1
        return connection


def _packet(method: str, parts: SplitResult, headers: Mapping[str, str], body: bytes | None) -> bytes:
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", *[f"{name}: {value}" for name, value in headers.items()]]
    if body is not None or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body or b'')}")
    if " " in target or any(map(_CONTROL.search, lines)):
        raise ValueError("not a request's head")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def _read(connection: socket.socket) -> _Reading:
    """A whole answer. One that ends with its connection never is: nothing tells it from half of one."""
    reading = _Reading()
    while not reading.is_whole:
        piece = connection.recv(PIECE)
        if not piece:
            raise ConnectionResetError
        reading.parser.feed_data(piece)
    return reading


def _has_ended(connection: socket.socket) -> bool:
    """Nothing is asked, so whatever can be read is the other side's goodbye."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()

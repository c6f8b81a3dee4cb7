"""HTTP/1.1 over kept connections, and exact about what is known when a call fails.

CallError
├── NotSent      no connection was made: the request surely did nothing
└── BrokenOff    sent at least in part, and no whole answer came: it may have been carried out

The standard library's client does the protocol. A purchase makes four calls between services, and a fuller client costs three times
as much a call.
"""

from __future__ import annotations

import http.client
import select
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

KEPT = 32
"""Idle connections that are kept to one address."""


class CallError(Exception):
    """Says the kind of failure, never what was sent."""


class NotSent(CallError):
    pass


class BrokenOff(CallError):
    pass


@dataclass(frozen=True)
class Answer:
    """An answer of any status; HEADERS by name, in any case."""

    status: int
    content: bytes
    headers: http.client.HTTPMessage


class Connections:
    """Connections by address. Thread-safe: a connection is one call's alone while it lasts."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, str], deque[http.client.HTTPConnection]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.opened = 0
        """How many connections were ever made."""

    def request(self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str], connect_s: float, read_s: float) -> Answer:
        """Send and read the whole answer; redirects are answers. READ_S bounds each wait for bytes. Raises NotSent or BrokenOff."""
        parts = urlsplit(url)
        address = (parts.scheme, parts.netloc)
        connection = self._kept(address) or self._connect(parts.scheme, parts.netloc, connect_s)
        try:
            connection.sock.settimeout(read_s)
            connection.request(method, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body=body, headers=dict(headers))
            response = connection.getresponse()
            if response.length is None and not response.chunked:
                # It would end with the connection, and nothing would tell a whole answer from half of one.
                raise http.client.IncompleteRead(b"")
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise BrokenOff(type(error).__name__) from None
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._keep(address, connection)
        return Answer(response.status, content, response.headers)

    def clear(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _kept(self, address: tuple[str, str]) -> http.client.HTTPConnection | None:
        """An idle connection that is still open. The one used last comes first, so that the others may end."""
        while True:
            with self._lock:
                if not self._idle[address]:
                    return None
                connection = self._idle[address].pop()
            if not _has_ended(connection):
                return connection
            connection.close()

    def _keep(self, address: tuple[str, str], connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if len(self._idle[address]) < KEPT:
                self._idle[address].append(connection)
                return
        connection.close()

    def _connect(self, scheme: str, netloc: str, connect_s: float) -> http.client.HTTPConnection:
        try:
            if scheme == "https":
                connection: http.client.HTTPConnection = http.client.HTTPSConnection(netloc, timeout=connect_s, context=_tls())
            else:
                connection = http.client.HTTPConnection(netloc, timeout=connect_s)
            connection.connect()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotSent(type(error).__name__) from None
        self.opened += 1
        return connection


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Nothing is asked, so whatever can be read is the other side's goodbye."""
    if connection.sock is None:
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()

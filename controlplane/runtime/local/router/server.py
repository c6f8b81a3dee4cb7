"""The router: listens, holds the routes, opens connections to replicas and ends what takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import resource
import secrets
import socket
from collections.abc import Callable, Iterable

from controlplane.lib.proxies import Networks
from controlplane.runtime.local.router.client import ClientConnection
from controlplane.runtime.local.router.table import Backend, Route, RouteTable, Upstream, Upstreams
from controlplane.runtime.local.router.upstream import UpstreamConnection

BACKLOG = 4096
MAX_CLIENTS = 12000
CONNECT_S = 5.0
"""A replica that is gone refuses at once; one that takes longer has a full accept queue, which is tried again after 1 and 3 s."""
KEEP_IDLE_S = 10.0
"""Well below what services keep idle connections for: the router closes first, so that no request meets a connection just closed."""
DRAIN_POLL_S = 0.02


class AddressInUse(Exception):
    """Another program listens there; `address` is for people."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class Router:
    """VISITED hears the namespace of a system that somebody wanted to see and that has not started yet.

    TRUSTED are proxies of one's own: who asked and by which scheme is what they say.
    """

    def __init__(self, visited: Callable[[str], None] = lambda namespace: None, *, trusted: Networks = ()) -> None:
        self.routes = RouteTable()
        self.clients: set[ClientConnection] = set()
        self.now = 0.0
        self.visited = visited
        self.trusted = trusted
        self._upstreams = Upstreams()
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._id_prefix = secrets.token_hex(8)
        self._ids = itertools.count(1)

    def bind(self, addresses: Iterable[str], port: int) -> None:
        """Take PORT of ADDRESSES; one that this machine does not have (often `::1`) is left out. Raises AddressInUse."""
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                listener = socket.socket(family)
            except OSError:
                continue
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((address, port))
                listener.listen(BACKLOG)
            except OSError as error:
                listener.close()
                if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    continue
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    shown = f"[{address}]:{port}" if family == socket.AF_INET6 else f"{address}:{port}"
                    raise AddressInUse(shown) from error
                raise
            self._sockets.append(listener)
            port = port or listener.getsockname()[1]
        if not self._sockets:
            raise AddressInUse(f"port {port}")

    @property
    def port(self) -> int:
        return self._sockets[0].getsockname()[1]

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        self._ticker = asyncio.create_task(self._tick())
        for listener in self._sockets:
            listener.setblocking(False)
            self._servers.append(await loop.create_server(self._accept, sock=listener, backlog=BACKLOG))

    async def stop(self, grace_s: float = 2.0) -> None:
        """Take no more requests; those under way have GRACE_S to end."""
        for server in self._servers:
            server.close()
        for client in list(self.clients):
            client.close_when_idle()
        deadline = asyncio.get_running_loop().time() + grace_s
        while self.clients and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(DRAIN_POLL_S)
        if self._ticker:
            self._ticker.cancel()
        for client in list(self.clients):
            client.cut()
        for upstream in self._upstreams.all():
            upstream.close_idle()

    def backend(self, namespace: str, service: str) -> Backend:
        """A place to route to, without replicas as yet."""
        return Backend(namespace, service, self._upstreams)

    def set_routes(self, namespace: str, routes: list[Route]) -> None:
        self.routes.replace(namespace, routes)

    async def drained(self, ports: frozenset[int]) -> None:
        """Return once no request is under way to PORTS of this machine."""
        while self._upstreams.in_flight(ports):
            await asyncio.sleep(DRAIN_POLL_S)

    def next_request_id(self) -> bytes:
        return b"%b-%x" % (self._id_prefix.encode(), next(self._ids))

    def connect(self, upstream: Upstream, done: Callable[[UpstreamConnection | None], None]) -> None:
        """Open a connection to UPSTREAM and hand it to DONE; None when nobody answers there."""
        task = asyncio.create_task(self._connect(upstream, done))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, upstream: Upstream, done: Callable[[UpstreamConnection | None], None]) -> None:
        connection: UpstreamConnection | None = None
        with contextlib.suppress(OSError):  # refused, or timed out
            async with asyncio.timeout(CONNECT_S):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: UpstreamConnection(upstream), upstream.address, upstream.port
                )
        done(connection)

    def _accept(self) -> asyncio.Protocol:
        return ClientConnection(self) if len(self.clients) < MAX_CLIENTS else _Full()

    async def _tick(self) -> None:
        """Once a second: the time for everybody, and an end to whoever is over it."""
        while True:
            await asyncio.sleep(1)
            self.now = asyncio.get_running_loop().time()
            for client in [client for client in self.clients if client.deadline < self.now]:
                client.expired()
            for upstream in self._upstreams.all():
                while upstream.idle and upstream.idle[0].idle_since < self.now - KEEP_IDLE_S:
                    upstream.idle.pop(0).close()


class _Full(asyncio.Protocol):
    """Closes at once: no connection is better than one that starves those there are."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def raise_file_limit() -> None:
    """Allow this process as many open connections as the system lets it. macOS says "unlimited" and then takes no more than it likes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (4 * MAX_CLIENTS, 2 * MAX_CLIENTS, 10240, 4096):
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if limit <= soft:
            return
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return

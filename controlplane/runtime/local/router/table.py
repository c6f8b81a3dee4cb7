"""Where requests go: from host and path to the replicas of a service."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

LOOPBACK = "127.0.0.1"


class Absence(Enum):
    """Why a service has nobody to answer."""

    STARTING = "starting"
    STOPPED = "stopped"
    DOWN = "down"


class Waiting(Protocol):
    """A request that waits for a replica to have room."""

    def resume_dispatch(self, backend: Backend) -> bool:
        """There may be room at BACKEND now. False when nobody waits for it here any more."""


class Upstream:
    """One replica of a service, at a PORT of this machine or of ADDRESS, with the connections kept open to it."""

    __slots__ = ("address", "idle", "in_flight", "is_leaving", "port")

    def __init__(self, port: int, address: str = LOOPBACK) -> None:
        self.port, self.address = port, address
        self.idle: list[Any] = []
        """`UpstreamConnection`s with nothing under way, the one used last at the end."""
        self.in_flight = 0
        self.is_leaving = False

    def close_idle(self) -> None:
        while self.idle:
            self.idle.pop().close()


class Upstreams:
    """All replicas ever routed to, by address and port: there is one, whichever services lead there."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, int], Upstream] = {}

    def at(self, port: int, address: str = LOOPBACK) -> Upstream:
        place = address, port
        if place not in self._by_place:
            self._by_place[place] = Upstream(port, address)
        return self._by_place[place]

    def all(self) -> Iterable[Upstream]:
        return self._by_place.values()

    def in_flight(self, ports: Iterable[int]) -> int:
        """To PORTS of this machine."""
        return sum(self._by_place[LOOPBACK, port].in_flight for port in ports if (LOOPBACK, port) in self._by_place)


class Backend:
    """A service's port: the replicas that are ready now, and who waits for one of them to have room."""

    def __init__(self, namespace: str, service: str, upstreams: Upstreams) -> None:
        self.namespace, self.service = namespace, service
        self.absence = Absence.STARTING
        self.waiting: deque[Waiting] = deque()
        self._upstreams = upstreams
        self._serving: list[Upstream] = []
        self._turn = 0

    def serve_from(self, ports: Iterable[int], absence: Absence) -> None:
        """`serve_at` PORTS of this machine."""
        self.serve_at(((LOOPBACK, port) for port in ports), absence)

    def serve_at(self, places: Iterable[tuple[str, int]], absence: Absence) -> None:
        """Send requests to PLACES, addresses with a port, from now on; those under way elsewhere end there.

        ABSENCE is why there is none, should it be so.
        """
        serving = [self._upstreams.at(port, address) for address, port in places]
        for upstream in self._serving:
            if upstream not in serving:
                upstream.is_leaving = True
                upstream.close_idle()
        for upstream in serving:
            upstream.is_leaving = False
        self._serving, self.absence = serving, absence
        for _ in range(len(self.waiting)):
            self.waiting.popleft().resume_dispatch(self)

    def pick(self, tried: Iterable[Upstream] = ()) -> Upstream | None:
        """The replica with the fewest requests under way, in turn among equals, but none of TRIED."""
        serving = self._serving
        if len(serving) == 1:
            return None if serving[0] in tried else serving[0]
        best = None
        self._turn += 1
        for offset in range(len(serving)):
            upstream = serving[(self._turn + offset) % len(serving)]
            if upstream not in tried and (best is None or upstream.in_flight < best.in_flight):
                best = upstream
        return best

    def next_waiting(self) -> None:
        """A request ended: one that waits may go."""
        while self.waiting and not self.waiting.popleft().resume_dispatch(self):
            pass


@dataclass(frozen=True)
class Route:
    """Requests for HOST whose path begins with PREFIX, segment by segment, or is exactly it, go to BACKEND."""

    host: str
    prefix: str
    is_exact: bool
    backend: Backend
    timeout_s: float | None = None


class RouteTable:
    """All routes of all systems; each system replaces its own as a whole."""

    def __init__(self) -> None:
        self._of_system: dict[str, list[Route]] = {}
        self._by_host: dict[bytes, list[tuple[bytes, bytes, bool, Route]]] = {}

    def replace(self, namespace: str, routes: list[Route]) -> None:
        """Let ROUTES be all that NAMESPACE has."""
        hosts = {route.host for route in (*self._of_system.pop(namespace, ()), *routes)}
        if routes:
            self._of_system[namespace] = routes
        for host in hosts:
            self._rebuild(host)

    def has_host(self, host: bytes) -> bool:
        return _hostname(host) in self._by_host

    def match(self, host: bytes, path: bytes) -> Route | None:
        """The route of the longest match, as the Gateway API orders them: an exact path first, then the longest prefix."""
        entries = self._by_host.get(host)
        if entries is None:
            entries = self._by_host.get(_hostname(host))
            if entries is None:
                return None
        for prefix, prefix_slash, is_exact, route in entries:
            if path == prefix or (not is_exact and path.startswith(prefix_slash)):
                return route
        return None

    def _rebuild(self, host: str) -> None:
        # Two systems never share a host: their names are claimed before they are written. Should they all the same, the older one has it.
        owner = next((routes for routes in self._of_system.values() if any(route.host == host for route in routes)), [])
        entries = []
        for route in owner:
            if route.host == host:
                prefix = route.prefix.encode() if route.is_exact else route.prefix.rstrip("/").encode()
                entries.append((prefix, prefix + b"/", route.is_exact, route))
        entries.sort(key=lambda entry: (not entry[2], -len(entry[0])))
        if entries:
            self._by_host[host.encode()] = entries
        else:
            self._by_host.pop(host.encode(), None)


def _hostname(host: bytes) -> bytes:
    """HOST without its port, in lower case, without the root's dot."""
    name = host if host.endswith(b"]") else host.rpartition(b":")[0] or host
    return name.lower().rstrip(b".")

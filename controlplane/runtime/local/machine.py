"""What the replicas of all systems share on this machine: its images, its ports, and turns to start."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
from collections import deque
from collections.abc import Awaitable, Callable

from controlplane.runtime.errors import RuntimeBusy
from controlplane.runtime.local.images import Images

_PORTS = range(20000, 32000)
"""Below what Linux and macOS give to outgoing connections: such a port is not taken between its choice and its use."""

START_TURN_S = 15.0
"""How long a replica that is starting keeps others waiting."""


class Ports:
    """Free ports of 127.0.0.1, none given twice."""

    def __init__(self) -> None:
        self._given: set[int] = set()
        self._next = random.randrange(len(_PORTS))  # noqa: S311 - only spreads two supervisors apart

    def take(self) -> int:
        """A port nobody listens on. Raises RuntimeBusy when there is none."""
        for _ in _PORTS:
            port = _PORTS[self._next]
            self._next = (self._next + 1) % len(_PORTS)
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        raise RuntimeBusy("This machine has no free port.")

    def reserve(self, port: int) -> None:
        """Keep PORT, which an adopted replica listens on, from being given away."""
        self._given.add(port)

    def give_back(self, port: int) -> None:
        self._given.discard(port)


def is_free(port: int) -> bool:
    """True when nobody listens on PORT; connections of a listener that is gone do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


class StartTurns:
    """Bounds how many replicas start at once: starting costs a core for a second, and the first ones should be done soon."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> Callable[[], None]:
        """Wait for a turn; call what is returned when started, more than once does no harm. It ends by itself after START_TURN_S."""
        if self._free > 0:
            self._free -= 1
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on()
                raise
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                timer.cancel()
                self._pass_on()

        timer = asyncio.get_running_loop().call_later(START_TURN_S, end)
        return end

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Machine:
    """DRAINED waits until the router has no request under way to the given ports."""

    def __init__(self, images: Images, drained: Callable[[frozenset[int]], Awaitable[None]]) -> None:
        self.images = images
        self.drained = drained
        self.node = socket.gethostname()
        self.ports = Ports()
        self.turns = StartTurns(max(6, 3 * (os.cpu_count() or 1)))

"""Ports for servers that tests start: each is given once, to one of the processes that test on this machine.

They lie below those that the local runtime takes and those that systems give to outgoing connections, and between picking a port and
serving at it nobody else picks it. Else two services could share one without a word, as both let a successor listen beside them.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

FIRST, LAST, BLOCK = 11_000, 20_000, 50

_lock = threading.Lock()
_claimed: list[IO[bytes]] = []
"""Of each block of this process the file whose lock says so, as long as the process lives."""


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    with _lock:
        return next(_free)


def free_ports(count: int) -> list[int]:
    """COUNT of them."""
    return [free_port() for _ in range(count)]


def _ports() -> Iterator[int]:
    directory = Path(tempfile.gettempdir()) / f"clove-test-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    for first in range(FIRST, LAST, BLOCK):
        file = open(directory / str(first), "wb")  # noqa: SIM115 - open for as long as the block is ours
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _claimed.append(file)
        yield from filter(_is_free, range(first, first + BLOCK))
    raise RuntimeError(f"no free port is left between {FIRST} and {LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_free = _ports()

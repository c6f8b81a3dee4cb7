"""How many connections the database server of a booking system has to bear, and what memory that takes. Pure.

A thread of a service keeps its connection, so a replica has as many as its image's label `connections` says. While replicas are
replaced there are more of them: one that comes, and those that finish what they do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from controlplane.rendering.images import PoolImage

SMALLEST = 400
OTHERS = 20
"""Probes, backup, setup, restore, and whoever looks after it."""
LEAVING = 3
"""Replicas that end while the next ones start: one ends within ten seconds or so, and one starts within three."""
_SERVER_MIB = 128
"""The server without connections and buffer pool."""
_CONNECTION_MIB = 0.14
"""Of one that has read, sorted and written. Measured with MariaDB 10.11: 115 MiB with one connection, 631 MiB with 4,000."""


def connections_of(images: Iterable[PoolImage], replicas: Mapping[str, int]) -> int:
    """The most there can be at once with REPLICAS (service -> number, 1 where it says nothing) of those IMAGES that are stateful."""
    stateful = (image for image in images if image.is_stateful)
    return OTHERS + sum(image.connections * _at_once(replicas.get(image.service, 1)) for image in stateful)


def memory_mib(connections: int, *, buffer_share: float) -> int:
    """The memory that a server with CONNECTIONS needs when BUFFER_SHARE of it is the buffer pool."""
    return math.ceil((_SERVER_MIB + connections * _CONNECTION_MIB) / (1 - buffer_share))


def _at_once(replicas: int) -> int:
    return replicas + 1 + min(replicas - 1, LEAVING) if replicas else 0

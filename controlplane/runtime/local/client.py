"""The adapters' end of the supervisor's socket. Blocking; a connection a call, so that it may be used from any thread or fork."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.local.layout import check_private
from controlplane.runtime.port import Health, Observation, Workload

ANSWER_S = 5.0
SILENCE_S = 12.0
"""Without a line for this long, heartbeats included, the supervisor is taken for dead."""


def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The supervisor's answer to REQUEST. Raises RuntimeUnavailable when it does not give one."""
    try:
        with _connect(path, ANSWER_S) as connection, connection.makefile("rb") as lines:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(lines.readline())
    except (OSError, ValueError) as error:
        raise RuntimeUnavailable("The local runtime's supervisor does not answer.") from error
    if "error" in answer:
        raise RuntimeUnavailable(f"The local runtime's supervisor has trouble: {answer['error']}")
    return answer


def stream(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of one connection for events, until it breaks. Raises RuntimeUnavailable when it does, or cannot be had."""
    try:
        with _connect(path, SILENCE_S) as connection, connection.makefile("rb") as lines:
            connection.sendall(b'{"op":"events"}\n')
            for line in lines:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise RuntimeUnavailable("The local runtime's supervisor does not answer.") from error
    raise RuntimeUnavailable("The local runtime's supervisor hung up.")


def observation(raw: dict[str, Any]) -> Observation:
    """An Observation from its JSON form."""
    workloads = tuple(Workload(**(each | {"health": Health(each["health"]), "nodes": tuple(each["nodes"])})) for each in raw["workloads"])
    return Observation(**(raw | {"health": Health(raw["health"]), "workloads": workloads}))


def _connect(path: Path, timeout_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        check_private(path.parent)
        connection.settimeout(timeout_s)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection

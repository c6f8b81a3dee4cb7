"""Names the thread that holds a lease, in a way that tells others on the same machine when it is dead."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import secrets
import socket

from controlplane.lib.startmark import start_mark

_NAME = re.compile(r"(?P<host>.*)/(?P<pid>[0-9]+)/(?P<started>[0-9a-f]{16})/[^/]*", re.DOTALL)


@functools.cache
def _process(pid: int) -> str:
    return f"{socket.gethostname()[:60]}/{pid}/{_started(pid)}"


def _started(pid: int) -> str:
    """Empty for a process that is gone."""
    mark = start_mark(pid)
    return hashlib.sha256(mark.encode()).hexdigest()[:16] if mark else ""


def new_owner() -> str:
    """`host/pid/started/random`: a name nobody else has; at most 100 characters."""
    return f"{_process(os.getpid())}/{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """True when OWNER was a process of this machine and is gone; False when it lives, or nobody here can know.

    A pid is given out again, so when it started counts too; not by the wall clock, which may be set while it lives.
    """
    found = _NAME.fullmatch(owner)
    return bool(found and found["host"] == socket.gethostname()[:60] and _started(int(found["pid"])) != found["started"])

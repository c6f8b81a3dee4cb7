"""Names the thread that holds a lease, in a way that tells others on the same machine when it is dead."""

from __future__ import annotations

import functools
import os
import secrets
import socket

import psutil


@functools.cache
def _process(pid: int) -> str:
    return f"{socket.gethostname()[:60]}/{pid}/{int(psutil.Process(pid).create_time())}"


def new_owner() -> str:
    """`host/pid/started/random`: a name nobody else has; at most 100 characters."""
    return f"{_process(os.getpid())}/{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """True when OWNER was a process of this machine and is gone; False when it lives, or nobody here can know.

    A pid is given out again, so the time it started counts too.
    """
    parts = owner.rsplit("/", 3)
    if len(parts) != 4 or parts[0] != socket.gethostname()[:60] or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return False
    try:
        return int(psutil.Process(int(parts[1])).create_time()) != int(parts[2])
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False

"""`recovery`: each service of the example killed with -9; the seconds until it answers through the public address again."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import psutil

from bench.measure import Row
from bench.restart import example_slug
from tests.stack import Stack, running, until

PATHS = {
    "auth": "/api/auth/jwks.json",
    "event": "/api/event/",
    "seat": "/api/seat/performances",
    "ticket": "/api/ticket/keys.json",
    "merch": "/api/merch/products",
    "web": "/",
}
ROUNDS = 3


def run() -> list[Row]:
    """Kills the whole of a service, its server's parent and its worker, ROUNDS times each."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as home, running(Path(home) / "home") as stack:
        slug = example_slug(stack)
        for service, path in PATHS.items():
            slowest = max(recover(stack, slug, service, path) for _ in range(ROUNDS))
            rows.append(Row(f"recovery: {service} after kill -9, slowest of {ROUNDS}", slowest, "s"))
    return rows


def recover(stack: Stack, slug: str, service: str, path: str) -> float:
    """Seconds from the kill to the first 200."""
    site = stack.site(slug)
    assert site.call("GET", path).status_code == 200, f"{service} answers before it is killed"
    pids = [pid for pid in stack.processes() if _environ(pid).get("CLOVE_SERVICE") == service]
    assert pids, service
    started = time.monotonic()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(f"{service} again", lambda: stack.site(slug).answers(path), timeout_s=60, every_s=0.02)
    return time.monotonic() - started


def _environ(pid: int) -> dict[str, str]:
    try:
        return psutil.Process(pid).environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return {}

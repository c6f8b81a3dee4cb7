"""`memory`: proportional set size of each service and of the control plane's processes, their servers' parents included."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil

from bench.measure import Row
from bench.restart import example_slug
from tests.stack import Stack, running

MIB = 1024 * 1024
BUYERS = 20


def run() -> list[Row]:
    """Measured after twenty purchases and a few pages, so that what is imported late is there."""
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as home, running(Path(home) / "home") as stack:
        slug = example_slug(stack)
        for number in range(BUYERS):
            site = stack.site(slug)
            site.sign_up(f"memory{number}@example.com")
            site.buy(site.hold_any(skip=number))
            assert site.call("GET", "/").status_code == 200
        for path in ("/", "/login", "/api/v1/events", "/healthz"):
            stack.api().get(stack.portal + path, timeout=30)
        services, control_plane = sizes(stack)
    rows = [Row(f"memory: service {name}", size / MIB, "MiB") for name, size in sorted(services.items())]
    rows.append(Row("memory: largest service", max(services.values()) / MIB, "MiB"))
    rows += [Row(f"memory: {name}", size / MIB, "MiB") for name, size in sorted(control_plane.items())]
    rows.append(Row("memory: embedded control plane in all", sum(control_plane.values()) / MIB, "MiB"))
    return rows


def sizes(stack: Stack) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes by service of the booking system, and by process of the control plane."""
    services: dict[str, int] = {}
    control_plane: dict[str, int] = {}
    for pid in stack.processes():
        process = psutil.Process(pid)
        size = process.memory_full_info().pss
        service = process.environ().get("CLOVE_SERVICE")
        if service and service != "standin":
            services[service] = services.get(service, 0) + size
        else:
            name = service or _name(" ".join(process.cmdline()))
            control_plane[name] = control_plane.get(name, 0) + size
    return services, control_plane


def _name(command: str) -> str:
    marks = {"embedded.web": "web", "celery": "worker and beat", "watch": "watcher", "runtime.local": "supervisor", "embedded": "up"}
    return next((name for mark, name in marks.items() if mark in command), command[:40])

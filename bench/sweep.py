"""`sweep`: a thousand live booking systems known to one control plane: how long a look at all of them takes, and pages meanwhile.

The runtime is the scripted one, which answers at once, and the booking services are doubles: the figures are the control plane's own share.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.measure import Row

SYSTEMS = 1_000
PAGES = {
    "event list": "/",
    "seller's systems": "/systems",
    "seller's system": "/systems/{last}",
    "seller's systems by API": "/api/v1/systems",
    "console, overview": "/console/overview/",
    "console, systems": "/console/systems/bookingsystem/",
}
LOOKS = 11


def run() -> list[Row]:
    """Opens SYSTEMS booking systems in a database of its own; then one sweep of all, and every page's median of LOOKS."""
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as home:
        _set_up(Path(home))
        return _measure()


def _set_up(home: Path) -> None:
    os.environ |= {"CLOVE_HOME": str(home), "RUNTIME": "fake", "DJANGO_SETTINGS_MODULE": "controlplane.config.settings"}
    # All of them are one seller's.
    os.environ |= dict.fromkeys(("CLOVE_SELLER_SYSTEMS", "CLOVE_SELLER_CPU", "CLOVE_SELLER_MEMORY_GIB"), "1000000")
    os.environ.pop("DATABASE_URL", None)
    import logging

    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.WARNING)
    call_command("setup", verbosity=0, stdout=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it prints passwords


def _measure() -> list[Row]:
    from django.test import Client
    from django.utils import timezone

    from controlplane.accounts.models import User
    from controlplane.jobs import tasks
    from controlplane.systems import converge, services
    from controlplane.systems.models import BookingSystem, State
    from tests.controlplane import Site, SiteRuntime, areas_requirement

    site = Site()
    runtime = SiteRuntime(site)
    seller = User.objects.create_user("bench@example.com", "a-long-enough-word", name="bench")
    admin = User.objects.filter(role="admin").get()
    try:
        started = time.perf_counter()
        for number in range(SYSTEMS):
            requirement = areas_requirement(slug=f"bench-{number}", title=f"Event {number}")
            system = services.system_create(requirement=requirement, acting_user=seller, deploy=True)
            for _ in range(3):
                converge.converge(system.pk, runtime=runtime)
        opened_s = time.perf_counter() - started
        live = BookingSystem.objects.filter(state=State.LIVE).count()
        if live != SYSTEMS:
            raise RuntimeError(f"{live} of {SYSTEMS} are live")

        BookingSystem.objects.update(next_check_at=timezone.now())
        due = converge.due()
        if len(due) != SYSTEMS:
            raise RuntimeError(f"{len(due)} of {SYSTEMS} are due")
        started = time.perf_counter()
        tasks.sweep()
        queued_s = time.perf_counter() - started
        for system_id in due:
            converge.converge(system_id, runtime=runtime)
        swept_s = time.perf_counter() - started
        if left := converge.due():
            raise RuntimeError(f"{len(left)} are still due")
        rows = [
            Row(f"sweep: opening {SYSTEMS:,} systems, each", opened_s / SYSTEMS * 1000, "ms"),
            Row(f"sweep: {SYSTEMS:,} systems queued", queued_s, "s"),
            Row(f"sweep: {SYSTEMS:,} systems queued and looked at", swept_s, "s"),
        ]
        last = BookingSystem.objects.order_by("-pk").values_list("pk", flat=True)[0]
        for name, path in PAGES.items():
            client = Client(SERVER_NAME="localhost")
            client.force_login(admin if path.startswith("/console") else seller, backend="django.contrib.auth.backends.ModelBackend")
            rows.append(Row(f"sweep: page, {name}", _median_ms(lambda c=client, p=path: c.get(p.format(last=last))), "ms"))
        return rows
    finally:
        site.close()


def _median_ms(look: Callable[[], Any]) -> float:
    """The first look, which loads templates, does not count."""
    seconds = []
    for _ in range(LOOKS + 1):
        started = time.perf_counter()
        answer = look()
        seconds.append(time.perf_counter() - started)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.request['PATH_INFO']}: {answer.status_code}")
    return statistics.median(seconds[1:]) * 1000

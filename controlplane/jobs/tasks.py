"""Celery tasks: thin, each names one function. Ids only; every one is safe to run twice, late or after a crash."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_init

from controlplane import bootstrap
from controlplane.lib import queue
from controlplane.rendering import render
from controlplane.systems import converge as systems
from controlplane.systems import door, forgetting, retention


@worker_init.connect
def prepare(**_: Any) -> None:
    """Load what the first seller would wait for otherwise: the runtime's adapter with its client, and the templates."""
    bootstrap.runtime()
    render.prepare()


@shared_task(name=systems.CONVERGE)
def converge(system_id: int) -> None:
    """Look at one booking system and do what can be done now."""
    systems.converge(system_id, runtime=bootstrap.runtime())


@shared_task(name="jobs.sweep")
def sweep(everything: bool = False) -> None:
    """Look at every booking system whose time has come: what a lost task, a lost event or a crash left is found here.

    What no worker gets to before the next sweep is dropped, since that one asks for it again: the queue never grows beyond the systems.
    """
    for system_id in systems.due(everything=everything):
        queue.send(systems.CONVERGE, expires_s=systems.WAIT_S, system_id=system_id)


@shared_task(name="jobs.expire_archives")
def expire_archives() -> None:
    """Erase what was kept of booking systems that are gone, once the law asks for it no longer."""
    retention.expire()


@shared_task(name=door.END_LINKS)
def end_door_links(system_id: int | None = None) -> None:
    """End links for the door that were made by who takes part no more; without SYSTEM_ID, all that are left."""
    door.end_links(system_id)


@shared_task(name="jobs.forget_unnamed")
def forget_unnamed() -> None:
    """Delete pictures and secrets of sellers that nothing names any more, invitations that ran out, and names of closed accounts."""
    forgetting.forget_unnamed()
    forgetting.forget_closed()

"""Hands work to the workers. A task is named, never imported: what sends it may lie below what runs it."""

from __future__ import annotations

import functools
import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

log = logging.getLogger(__name__)


@functools.cache
def _celery() -> Any:
    return import_string(settings.CELERY_APP)


def send(task: str, *, delay_s: float = 0.0, expires_s: float | None = None, **arguments: Any) -> None:
    """Ask a worker to run TASK, after DELAY_S (seconds, not hours, as a worker keeps it in memory), and not later than EXPIRES_S from now.

    A broker that is away is no error: the sweep finds what was lost. Arguments are ids and plain values, never objects.
    """
    try:
        _celery().send_task(task, kwargs=arguments, countdown=delay_s or None, expires=expires_s, ignore_result=True, retry=False)
    except Exception:
        log.warning("task %s was not sent; the sweep will see to it", task, exc_info=True)


def send_on_commit(task: str, **arguments: Any) -> None:
    """The same, once the transaction around has committed; never when it rolls back."""
    transaction.on_commit(lambda: send(task, **arguments))

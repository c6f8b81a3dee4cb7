"""`manage.py watch`: turns the runtime's events into work for the Celery workers, until SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from controlplane import bootstrap
from controlplane.jobs.watching import MERGE_ON_A_CLUSTER_S, MERGE_S, watch


class Command(BaseCommand):
    help = "Turn the runtime's events into work for the Celery workers, until it is told to stop."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def ask_to_stop(*_: object) -> None:
            stop.set()
            # The stream may be silent for seconds; nothing here needs an orderly end.
            raise SystemExit(0)

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        watch(bootstrap.runtime(), stop, merge_s=MERGE_ON_A_CLUSTER_S if settings.RUNTIME == "kubernetes" else MERGE_S)

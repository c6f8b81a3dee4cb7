"""The Celery application. `celery -A controlplane.config.celery worker --pool threads`, and `beat` beside it.

JSON only, late acknowledgement, no results: a task says *look at system 17*, so running it twice, late or after a crash is safe.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.config.settings")

from django.conf import settings

from controlplane.config import liveness
from controlplane.lib import filebroker

SWEEP_EVERY_S = 5
FULL_SWEEP_EVERY_S = 60
EXPIRY_EVERY_S = 3_600
POLLING_INTERVAL_S = 0.05
VISIBILITY_TIMEOUT_S = 600

app = Celery("clove")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    imports=("controlplane.jobs.tasks",),
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_queue="clove",
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=5.0,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    timezone="UTC",
    beat_schedule_filename=str(settings.CLOVE_HOME / "broker" / "beat-schedule"),
    beat_schedule={
        # Expiring, so that a worker that was away does not find a heap of them.
        "sweep": {"task": "jobs.sweep", "schedule": SWEEP_EVERY_S, "options": {"expires": SWEEP_EVERY_S}},
        "sweep-all": {
            "task": "jobs.sweep",
            "schedule": FULL_SWEEP_EVERY_S,
            "kwargs": {"everything": True},
            "options": {"expires": FULL_SWEEP_EVERY_S},
        },
        "forget-unnamed": {"task": "jobs.forget_unnamed", "schedule": EXPIRY_EVERY_S, "options": {"expires": EXPIRY_EVERY_S}},
        "end-door-links": {"task": "jobs.end_door_links", "schedule": FULL_SWEEP_EVERY_S, "options": {"expires": FULL_SWEEP_EVERY_S}},
        "expire-archives": {"task": "jobs.expire_archives", "schedule": EXPIRY_EVERY_S, "options": {"expires": EXPIRY_EVERY_S}},
    },
)
app.steps["worker"].add(liveness.Alive)
if settings.BROKER_URL.startswith(f"{filebroker.SCHEME}:"):
    app.conf.broker_transport_options = filebroker.options(settings.CLOVE_HOME / "broker", polling_interval_s=POLLING_INTERVAL_S)
else:
    _timeout = {"visibility_timeout": VISIBILITY_TIMEOUT_S}
    app.conf.update(broker_transport_options=_timeout, result_backend_transport_options=_timeout, visibility_timeout=VISIBILITY_TIMEOUT_S)

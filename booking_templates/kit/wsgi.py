"""The WSGI application of a service, with its passes in a thread beside it unless a `worker` process runs them."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booking_templates.kit.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from booking_templates.kit import logs, worker

logs.setup(settings.ENV.service)
application = get_wsgi_application()
worker.end_with_parent()
if settings.ENV.runs_worker:
    worker.start_inline()

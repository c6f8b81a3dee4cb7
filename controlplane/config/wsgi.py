"""The WSGI application of portal, console and API."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controlplane.config.settings")

application = get_wsgi_application()

"""All booking services' models in one settings module, for checks alone: a running process is one service."""

import os

os.environ.setdefault("CLOVE_SERVICE", "web")

from booking_templates.kit.settings import *  # noqa: F403

# Auth's own.
SENDS_MAIL = False
MAIL_PER_SECOND = 10
OIDC_PRIVATE = False
OIDC_ISSUER = OIDC_NAME = OIDC_CLIENT_ID = OIDC_CLIENT_SECRET = ""

INSTALLED_APPS = [
    "booking_templates.kit",
    *(f"booking_templates.{service}" for service in ("auth", "event", "seat", "ticket", "merch", "standin", "web")),
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

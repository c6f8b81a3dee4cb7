"""What the pages need beyond the kit's settings, which take this module in when the service is `web`."""

from __future__ import annotations

MIDDLEWARE = [
    "booking_templates.kit.middleware.outermost",
    "booking_templates.kit.middleware.ProblemMiddleware",
    "booking_templates.web.middleware.PageMiddleware",
]

TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

LANGUAGE_COOKIE_AGE = 365 * 24 * 3600

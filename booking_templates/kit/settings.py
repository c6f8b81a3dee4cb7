"""Django settings of every booking service, composed from the environment (see `env`). One process is one service."""

from __future__ import annotations

import secrets
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from booking_templates.kit import env

ENV = env.load()
PACKAGE = Path(__file__).resolve().parent.parent

DEBUG = ENV.is_debug
try:
    SECRET_KEY = ENV.secret("django-secret")
except FileNotFoundError:
    # Management commands run without. Were it missing in service, what it signs would be good in this one process alone.
    SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["*"]  # the router or gateway routes by host; no service builds an address from the Host header
ROOT_URLCONF = "booking_templates.kit.urls"
WSGI_APPLICATION = "booking_templates.kit.wsgi.application"
INSTALLED_APPS = ["booking_templates.kit", f"booking_templates.{ENV.service}"]
MIDDLEWARE = ["booking_templates.kit.middleware.outermost", "booking_templates.kit.middleware.ProblemMiddleware"]
DATABASES = {"default": env.database_settings(ENV.database_url, ENV.root)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = ENV.time_zone
USE_I18N = True
LANGUAGE_CODE = ENV.language
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "clove_lang"
LOCALE_PATHS = [path for name in ("kit", "payments", ENV.service) if (path := PACKAGE / name / "locale").is_dir()]

TRUSTED_PROXIES = ENV.trusted_proxies
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
APPEND_SLASH = False
LOGGING_CONFIG = None  # kit.logs sets it up, as JSON lines

if find_spec(f"booking_templates.{ENV.service}.settings"):
    # A service may add settings of its own (the pages' templates); kit names none of them.
    globals().update(
        {name: value for name, value in vars(import_module(f"booking_templates.{ENV.service}.settings")).items() if name.isupper()}
    )

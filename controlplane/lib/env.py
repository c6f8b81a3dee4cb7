"""Reads the environment: the one way settings come in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from controlplane.lib import proxies


class BadEnvironment(Exception):
    """A variable of the environment holds what cannot be used; the message names it."""


def text(name: str, default: str = "") -> str:
    """The variable NAME, or the content of the file that NAME_FILE names: where secrets are mounted as files."""
    if value := os.environ.get(name, "").strip():
        return value
    if path := os.environ.get(f"{name}_FILE", "").strip():
        try:
            return Path(path).read_text(encoding="utf-8").strip() or default
        except OSError as error:
            raise BadEnvironment(f"{name}_FILE: {path} cannot be read ({error.strerror})") from None
    return default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in ("", "1", "yes", "true", "on", "0", "no", "false", "off"):
        return default if not value else value in ("1", "yes", "true", "on")
    raise BadEnvironment(f"{name} must be yes or no, not {value!r}")


def number(name: str, default: int) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal():
        raise BadEnvironment(f"{name} must be a whole number, not {value!r}")
    return int(value)


def words(name: str) -> list[str]:
    """Values separated by commas or spaces."""
    return text(name).replace(",", " ").split()


def networks(name: str) -> proxies.Networks:
    """Networks and addresses, separated by commas or spaces."""
    try:
        return proxies.networks(words(name))
    except ValueError as error:
        raise BadEnvironment(f"{name} must be networks like 10.0.0.0/8 or addresses: {error}") from None


def pair(name: str, default: str) -> tuple[str, str]:
    """Two names with a slash between."""
    first, slash, second = text(name, default).partition("/")
    if not (first and slash and second):
        raise BadEnvironment(f"{name} must be like {default}")
    return first, second


def choice(name: str, options: tuple[str, ...], default: str = "") -> str:
    """One of OPTIONS; the first is the default unless there is another DEFAULT."""
    value = text(name, default or options[0])
    if value not in options:
        raise BadEnvironment(f"{name} must be one of {', '.join(options)}, not {value!r}")
    return value


def mysql_database(url: str) -> dict[str, Any]:
    """Django's entry for `mysql://user:password@host:3306/name?charset=utf8mb4`."""
    parts = urlsplit(url)
    if parts.scheme not in ("mysql", "mariadb") or not parts.path.strip("/"):
        raise BadEnvironment("DATABASE_URL must be like mysql://user:password@host:3306/name")
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": str(parts.port or 3306),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET time_zone='+00:00'",  # Django stores UTC, and CURRENT_TIMESTAMP is to be the same
            **dict(parse_qsl(parts.query)),
        },
    }


def sqlite_database(path: str) -> dict[str, Any]:
    """Django's entry for an SQLite file that several processes write to.

    IMMEDIATE, because a transaction that reads first and writes later would fail at once instead of waiting its turn.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8000;",
        },
    }


MAILS_A_SECOND_MAX = 1000


def mail_server(url: str) -> dict[str, Any]:
    """Django's `EMAIL_…` settings for `smtp://user:password@host:587` (STARTTLS), `smtps://…:465`, `smtp+plain://host:25` or `file:///directory`.

    `?from=tickets@example.com` is the sender, `per_second` what a booking system sends at most. Without a URL mail goes nowhere: callers
    ask MAIL_URL first.
    """
    parts = urlsplit(url)
    said = dict(parse_qsl(parts.query))
    rate = said.get("per_second", "10")
    if not rate.isdecimal() or not 1 <= int(rate) <= MAILS_A_SECOND_MAX:
        raise BadEnvironment(f"CLOVE_MAIL: per_second must be a number from 1 to {MAILS_A_SECOND_MAX}")
    sender = {"DEFAULT_FROM_EMAIL": said.get("from", "no-reply@localhost"), "EMAIL_TIMEOUT": 10}
    if not url:
        return {**sender, "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    if parts.scheme == "file":
        return {**sender, "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if parts.scheme not in ("smtp", "smtps", "smtp+plain") or not parts.hostname:
        raise BadEnvironment("CLOVE_MAIL must be like smtp://user:password@host:587, smtps://…, smtp+plain://… or file:///directory")
    return {
        **sender,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or {"smtp": 587, "smtps": 465}.get(parts.scheme, 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }

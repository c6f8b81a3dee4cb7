"""What a test needs of the machine. Missing things skip it by name, or fail it where `./clove test` has installed what is needed."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRED_VARIABLE = "CLOVE_TEST_REQUIRES_ALL"

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "mariadb": ("mariadbd", "/usr/sbin/mariadbd", "mysqld"),
    "redis": ("redis-server",),
    "wrk": ("wrk",),
}


def find(name: str) -> str | None:
    """Path of the program NAME stands for, or None."""
    return next((path for candidate in PROGRAMS[name] if (path := shutil.which(candidate))), None)


def need(name: str) -> str:
    """The path of NAME; skips the test when the machine lacks it, or fails it when everything had to be there."""
    if path := find(name):
        return path
    message = f"needs {name}, which this machine does not have"
    if os.environ.get(REQUIRED_VARIABLE) == "1":
        pytest.fail(message)
    pytest.skip(message)

"""What Django keeps for a thread, kept by Python itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from django.db import connections
from django.utils import timezone, translation

from booking_templates.kit import locals as kept


@pytest.fixture
def by_thread(monkeypatch):
    for owner, name in kept.KEPT:
        monkeypatch.setattr(owner, name, getattr(owner, name))  # put back afterwards
    kept.keep_by_thread()


def test_each_thread_has_its_own_language_zone_and_connection(by_thread):
    seen = {}

    def stay(language: str, zone: str, everybody: threading.Barrier) -> None:
        translation.activate(language)
        timezone.activate(zone)
        everybody.wait(10)
        seen[language] = (translation.get_language(), timezone.get_current_timezone_name(), connections["default"])

    everybody = threading.Barrier(2)
    threads = [
        threading.Thread(target=stay, args=(language, zone, everybody), daemon=True)
        for language, zone in (("ko", "Asia/Seoul"), ("en", "UTC"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {language: said[:2] for language, said in seen.items()} == {"ko": ("ko", "Asia/Seoul"), "en": ("en", "UTC")}
    assert len({id(said[2]) for said in seen.values()}) == 2


def test_a_thread_that_said_nothing_has_the_defaults(by_thread, settings):
    assert translation.get_language() == settings.LANGUAGE_CODE
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


def test_a_django_that_keeps_them_elsewhere_is_noticed(by_thread, monkeypatch):
    monkeypatch.delattr(timezone, "_active")
    with pytest.raises(AttributeError, match="_active"):
        kept.keep_by_thread()


def test_the_process_that_serves_does_so():
    code = "import threading, django; django.setup(); import booking_templates.kit.wsgi; from booking_templates.kit.locals import KEPT; "
    code += "assert all(isinstance(getattr(*each), threading.local) for each in KEPT)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "CLOVE_WORKER": "process"}, check=True, timeout=60)

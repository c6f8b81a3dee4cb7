"""An address that no pod reaches is told at the start and by `manage.py check`."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.apps import apps
from django.core import checks


def told(settings: Any, **values: str) -> list[str]:
    for name, value in ({"RUNTIME": "kubernetes", "MAIL_URL": "", "KAKAOPAY_URL": "https://open-api.kakaopay.com"} | values).items():
        setattr(settings, name, value)
    return [f"{message.msg} {message.hint}" for message in checks.run_checks() if message.id == "clove.W001"]


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "127.8.8.8", "localhost:8090", "[::1]:8090", "pay.localhost"])
def test_payments_that_lead_to_this_machine_are_told_on_a_cluster(settings: Any, host: str) -> None:
    (message,) = told(settings, KAKAOPAY_URL=f"http://{host}")

    assert message.startswith("KAKAOPAY_URL leads to ")
    assert "Set KAKAOPAY_URL to an address that pods reach." in message
    assert told(settings, KAKAOPAY_URL=f"http://{host}", RUNTIME="local") == []


@pytest.mark.parametrize(
    "url", ["https://open-api.kakaopay.com", "http://10.0.0.7:8090", "http://standin.payments.svc:8000", "http://[fd00::7]"]
)
def test_an_address_elsewhere_is_no_news(settings: Any, url: str) -> None:
    assert told(settings, KAKAOPAY_URL=url) == []


def test_a_mail_server_on_this_machine_is_told_without_its_password(settings: Any) -> None:
    (message,) = told(settings, MAIL_URL="smtp://clove:hidden@localhost:587?from=a@b.kr")

    assert message.startswith("CLOVE_MAIL leads to localhost,")
    assert "hidden" not in message
    assert told(settings, MAIL_URL="file:///var/mail") == []


def test_every_process_says_it_when_it_starts(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.RUNTIME, settings.KAKAOPAY_URL = "kubernetes", "http://127.0.0.1:8090"

    with caplog.at_level(logging.WARNING, logger="controlplane.jobs"):
        apps.get_app_config("jobs").ready()

    assert "KAKAOPAY_URL leads to 127.0.0.1" in caplog.text


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        ({}, True),
        ({"RUNTIME": "local"}, False),
        ({"BOOKING_DATABASE": "mariadb"}, False),
        ({"BOOKING_DATABASE_NETWORKS": ["10.1.2.0/24"]}, False),
        ({"BOOKING_DATABASE_ADMIN": {"HOST": "10.1.2.3"}}, False),
    ],
)
def test_a_database_outside_that_nobody_knows_the_way_to_is_told(settings: Any, values: dict[str, Any], is_told: bool) -> None:
    usual = {"RUNTIME": "kubernetes", "BOOKING_DATABASE": "mysql", "BOOKING_DATABASE_NETWORKS": []}
    for name, value in ({**usual, "BOOKING_DATABASE_ADMIN": {"HOST": "db.example"}} | values).items():
        setattr(settings, name, value)

    assert [message.id for message in checks.run_checks() if message.id == "clove.W002"] == (["clove.W002"] if is_told else [])

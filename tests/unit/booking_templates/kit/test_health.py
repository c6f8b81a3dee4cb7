"""Alive looks at nothing else; ready looks at the database; metrics name routes."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError, connection

pytestmark = pytest.mark.django_db


def test_alive_and_ready(client):
    assert client.get("/healthz").content == b"ok"
    assert client.get("/readyz").content == b"ready"


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_its_database_it_is_alive_and_not_ready(client, monkeypatch, error):
    def gone():
        raise error("gone")

    monkeypatch.setattr(connection, "cursor", gone)
    monkeypatch.setattr(connection, "close", lambda: None)
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["code"] == "database_unreachable"


def test_metrics_count_by_route_method_and_status(client):
    client.get("/api/event/openapi.json")
    client.get("/api/event/poster/no-such-poster")
    client.get("/nowhere")
    text = client.get("/metrics").content.decode()
    assert 'clove_requests_total{method="GET",route="api/event/openapi.json",status="200"}' in text
    assert 'route="api/event/poster/<str:digest>"' in text
    assert 'clove_requests_total{method="GET",route="unmatched",status="404"}' in text
    assert 'clove_request_seconds_bucket{le="0.0025",method="GET",route="api/event/openapi.json"}' in text
    assert "no-such-poster" not in text


def test_a_made_up_method_is_no_label(client):
    client.generic("BREW", "/api/event/content")
    text = client.get("/metrics").content.decode()
    assert "BREW" not in text
    assert 'method="OTHER"' in text

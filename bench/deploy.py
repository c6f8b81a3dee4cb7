"""`deploy`: from the seller's submit to the first ticket sold, on the embedded default; the median of five."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import requests

from bench.measure import Row
from controlplane.rendering.example import load_example
from tests.stack import ROOT, Stack, running, until

ROUNDS = 5
LOOK_S = 0.2
"""Asking more often costs more than what it finds out sooner: on two cores each question is taken from what is being started."""


def run() -> list[Row]:
    """Deploys the example ROUNDS times into a fresh control plane, one after the other, each alone."""
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as home, running(Path(home) / "home", "--empty") as stack:
        api = stack.api()
        figures = [first_sale(stack, api, number) for number in range(ROUNDS)]
    live, sold = [figure.live_s for figure in figures], [figure.sold_s for figure in figures]
    return [
        Row("deploy: submit to live, median of 5", statistics.median(live), "s"),
        Row("deploy: submit to first ticket sold, median of 5", statistics.median(sold), "s"),
        Row("deploy: submit to first ticket sold, slowest", max(sold), "s"),
    ]


class FirstSale(NamedTuple):
    """Seconds from the POST of a requirement."""

    live_s: float
    sold_s: float


def first_sale(
    stack: Stack,
    api: requests.Session,
    number: int,
    requirement: dict[str, Any] | None = None,
    *,
    before_it_goes: Callable[[str], None] = lambda address: None,
) -> FirstSale:
    """From the POST of REQUIREMENT (or the example) to `live`, and to a ticket in a buyer's hands; the system is deleted then.

    BEFORE_IT_GOES is given its address in the API.
    """
    requirement = (requirement or load_example(ROOT / "examples" / "musical.json", datetime.now(UTC))) | {"slug": f"bench-{number}"}
    body = json.dumps({"requirement": requirement, "deploy": True}).encode()
    started = time.monotonic()
    answer = api.post(f"{stack.portal}/api/v1/systems", data=body, headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.status_code == 201, answer.text[:500]
    address = f"{stack.portal}/api/v1/systems/{answer.json()['id']}"

    def is_live() -> bool:
        system = api.get(address, timeout=30).json()
        assert system["state"] != "failed", system
        return bool(system["state"] == "live")

    until("live", is_live, timeout_s=180, every_s=LOOK_S)
    live_s = time.monotonic() - started
    site = stack.site(f"bench-{number}")
    site.sign_up(f"buyer{number}@example.com")
    order = site.buy(site.hold_any())
    sold_s = time.monotonic() - started
    assert order["status"] == "ISSUED", order
    before_it_goes(address)
    cancelled = site.call("POST", f"/api/ticket/orders/{order['id']}/cancel", json={})
    assert cancelled.status_code == 200, cancelled.text
    gone = api.delete(address, params={"name": f"bench-{number}"}, timeout=30)
    assert gone.status_code == 202, gone.text
    until("deleted", lambda: api.get(address, timeout=30).json().get("state") in ("deleted", None), timeout_s=180)
    return FirstSale(live_s, sold_s)

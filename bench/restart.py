"""`restart`: `./clove up` again, until portal and example event sell; the median of five."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import requests

from bench.measure import Row
from tests.stack import Stack, until

ROUNDS = 5


def run() -> list[Row]:
    """Starts with the example once, then stops and starts again ROUNDS times; each start ends with a seat held."""
    seconds = []
    with tempfile.TemporaryDirectory(prefix="clove-bench-") as home:
        stack = Stack(Path(home) / "home")
        try:
            first = stack.up()
            slug = example_slug(stack)
            stack.interrupt()
            for number in range(ROUNDS):
                started = time.monotonic()
                stack.start()
                until("portal", lambda: answers(stack.portal + "/healthz"), timeout_s=60)
                site = stack.site(slug)
                until("example", lambda site=site: site.is_open(), timeout_s=60)
                site.sign_up(f"again{number}@example.com")
                site.hold_any(skip=number)
                seconds.append(time.monotonic() - started)
                stack.wait_until_told()
                stack.interrupt()
        finally:
            stack.down()
    return [
        Row("restart: first `up` with the example live, installed", first, "s"),
        Row("restart: `up` again until portal and example sell, median of 5", statistics.median(seconds), "s"),
        Row("restart: `up` again, slowest", max(seconds), "s"),
    ]


def example_slug(stack: Stack) -> str:
    """The slug of the one booking system there is."""
    systems = stack.api().get(f"{stack.portal}/api/v1/systems", timeout=30).json()["results"]
    return str(systems[0]["slug"])


def answers(url: str) -> bool:
    """Whether URL says 200."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False

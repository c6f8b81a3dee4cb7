"""Something dies in the middle of a deployment. Afterwards the event is live, or failed with a reason; it is never stuck."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from controlplane.rendering.example import load_example
from tests.stack import ROOT, Stack, until

VICTIMS = {"worker": "celery", "supervisor": "controlplane.runtime.local", "web": "controlplane.embedded.web", "watcher": "manage.py"}
MOMENTS = ("plan", "apply", "start")
ALWAYS = (("worker", "apply"), ("supervisor", "start"), ("web", "plan"))
END_S = 120


@pytest.fixture(scope="module")
def api(battered: Stack) -> requests.Session:
    return battered.api()


def submit(stack: Stack, api: requests.Session, slug: str) -> str:
    """Ask for a small festival without merchandise; the address of its booking system in the API."""
    requirement = load_example(ROOT / "examples" / "festival.json", datetime.now(UTC)) | {"slug": slug, "merchandise": False}
    requirement.pop("products", None)
    answer = api.post(
        f"{stack.portal}/api/v1/systems",
        data=json.dumps({"requirement": requirement, "deploy": True}),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return f"{stack.portal}/api/v1/systems/{answer.json()['id']}"


def read(api: requests.Session, address: str) -> dict[str, object]:
    """What the API says, or nothing while it is being started again."""
    try:
        answer = api.get(address, timeout=10)
        return dict(answer.json()) if answer.status_code == 200 else {}
    except requests.RequestException:
        return {}


def has_come_to(api: requests.Session, address: str, step: str) -> bool:
    """Whether the running operation has begun STEP, or has ended already."""
    if read(api, address).get("state") in ("live", "failed"):
        return True
    operations = read(api, f"{address}/operations").get("results") or []
    steps = operations[0].get("steps") or read(api, f"{address}/operations/{operations[0]['id']}").get("steps") or [] if operations else []
    return any(each["name"] == step for each in steps)


def ended(api: requests.Session, address: str) -> dict[str, object] | None:
    found = read(api, address)
    return found if found.get("state") in ("live", "failed") else None


def kill_child(stack: Stack, mark: str) -> None:
    for pid, command in stack.children().items():
        if mark in command:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("victim", "moment"),
    [
        pytest.param(victim, moment, marks=() if (victim, moment) in ALWAYS else pytest.mark.slow)
        for victim in VICTIMS
        for moment in MOMENTS
    ],
)
def test_a_killed_process_leaves_no_deployment_stuck(battered: Stack, api: requests.Session, victim: str, moment: str) -> None:
    slug = f"{victim}-{moment}"
    address = submit(battered, api, slug)
    until(f"step {moment}", lambda: has_come_to(api, address, moment), timeout_s=60)
    kill_child(battered, VICTIMS[victim])
    system = until("an end", lambda: ended(api, address), timeout_s=END_S)
    assert system["state"] == "live", system
    until("the site", lambda: battered.site(slug).is_open(), timeout_s=60)
    gone = api.delete(address, params={"name": slug}, timeout=30)
    assert gone.status_code == 202, gone.text
    until("deleted", lambda: read(api, address).get("state") in ("deleted", None), timeout_s=60)


def test_everything_killed_at_once_goes_on_after_the_next_up(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home")
    try:
        stack.up("--empty")
        api = stack.api()
        address = submit(stack, api, "lights-out")
        until("step start", lambda: has_come_to(api, address, "start"), timeout_s=60)
        for pid in stack.processes():
            os.kill(pid, signal.SIGKILL)
        assert stack.process is not None
        stack.process.wait(10)
        stack.up("--empty")
        system = until("an end", lambda: ended(api, address), timeout_s=END_S)
        assert system["state"] == "live", system
        site = stack.site("lights-out")
        until("the site", site.is_open, timeout_s=60)
        site.sign_up("after@example.com")
        assert site.buy(site.hold_any())["status"] == "ISSUED"
    finally:
        stack.down()

"""The doubles of an API server answer as a real one was recorded to (tests/integration/runtime_kubernetes/test_recordings.py records)."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest

from controlplane.runtime.fake import FakeRuntime
from controlplane.runtime.kubernetes import watching
from controlplane.runtime.kubernetes.answers import Answer, failure
from controlplane.runtime.kubernetes.resources import BY_KIND
from controlplane.runtime.port import SystemRef
from tests.runtime_contract import port_cases, recording, server_answers
from tests.runtime_contract.fake_stage import StageOnFake
from tests.runtime_contract.systems import SECRETS, ref, system_objects
from tests.unit.controlplane.runtime.kubernetes.scripted import scripted

ANSWERS, PORT = recording.read("answers"), recording.read("port")
REFUSALS = {name: case for name, case in ANSWERS.items() if "becomes" in case}


def test_every_case_is_recorded_and_nothing_else_is() -> None:
    assert (list(ANSWERS), list(PORT)) == (list(server_answers.CASES), list(port_cases.CASES)), recording.AGAIN


@pytest.mark.parametrize("name", port_cases.CASES)
def test_the_fake_answers_as_the_cluster_did(name: str) -> None:
    assert recording.steady(port_cases.CASES[name](StageOnFake())) == PORT[name]


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_server_really_answered_becomes_the_ports_error(name: str) -> None:
    case = REFUSALS[name]
    body = json.dumps(case["body"]) if "body" in case else case["text"]

    assert recording.told(failure(Answer(case["status"], body.encode()), case["name"])) == case["becomes"]


def test_a_recorded_warning_is_read_without_code_and_agent() -> None:
    case = ANSWERS["a_deployment_of_such_a_pod"]

    assert list(Answer(case["status"], b"{}", tuple(case["raw_warnings"])).warnings) == case["warnings"]


def test_a_watch_goes_on_from_the_recorded_bookmark_and_begins_anew_after_the_recorded_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "WATCHED", (BY_KIND["Deployment"],))
    added, bookmark = ANSWERS["a_watch_ends_with_a_bookmark"]["events"]
    system = SystemRef(7115, "clove-7115", "seller-1")
    with scripted() as (script, api):
        script.answers = [
            (200, {"items": [], "metadata": {"resourceVersion": "5"}}),
            [_at(added, "6"), _at(bookmark, "8")],
            [ANSWERS["a_watch_from_too_old_a_version"]],
            (200, {"items": [added["object"]], "metadata": {"resourceVersion": "20"}}),
            [],
        ]

        told = list(islice((event for event in watching.events(api, heartbeat_s=0.05) if event), 2))

        watches = [line for line in script.asked if "watch=true" in line]
    assert told == [system, system]
    assert "resourceVersion=5" in watches[0]
    assert "resourceVersion=8" in watches[1]


def test_the_fake_tells_of_every_system_again_when_its_watch_was_too_old() -> None:
    runtime = FakeRuntime(heartbeat_s=0.05)
    systems = [ref(1), ref(2)]
    for system in systems:
        runtime.apply(system, system_objects(system), SECRETS)
    events = runtime.events()
    before = list(islice(events, 4))  # all that there are, then those two applies

    runtime.forgets()

    assert before == systems * 2
    assert list(islice(events, 2)) == systems


def _at(event: dict[str, Any], version: str) -> dict[str, Any]:
    item = event["object"]
    return {**event, "object": {**item, "metadata": {**item["metadata"], "resourceVersion": version}}}

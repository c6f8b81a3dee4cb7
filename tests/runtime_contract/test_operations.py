"""What operations on a running system need of every runtime: scaling, holding, moving, restarting, suspending."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.holding import held
from controlplane.runtime.port import FieldChange, Health, Objects, Observation, Resize, Workload
from tests.runtime_contract.conftest import OnFake, OnLocal
from tests.runtime_contract.on_kubernetes import OnKubernetes
from tests.runtime_contract.supervised import eventually
from tests.runtime_contract.systems import SECRETS, ref, system_objects, with_env

SYSTEM = ref(1)
On = OnFake | OnLocal | OnKubernetes
LOOKS_WHILE_HELD = 5


def changed(objects: list[dict[str, Any]], change: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    """OBJECTS with the pod template of each Deployment changed."""
    newer = copy.deepcopy(objects)
    for item in newer:
        if item["kind"] == "Deployment":
            change(item["spec"]["template"])
    return newer


def seat_of(seen: Observation) -> Workload:
    seat = seen.workload("seat")
    assert seat is not None
    return seat


def serving(on: On) -> list[dict[str, Any]]:
    """The objects of a system that is ready."""
    objects = system_objects(SYSTEM)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    on.await_health(SYSTEM, Health.READY)
    return objects


def roll_out(on: On, objects: Objects) -> Workload:
    """Apply OBJECTS and wait until they are what runs; somebody serves at every look."""
    on.runtime.apply(SYSTEM, objects, SECRETS)

    def look() -> Observation:
        seen = on.runtime.observe(SYSTEM)
        assert seat_of(seen).ready >= 1
        return seen

    seen = eventually(look, until=lambda seen: seen.health is Health.READY)
    assert seen.fingerprint == fingerprint(objects, SECRETS)
    return seat_of(seen)


def test_scaling_up_and_down_keeps_somebody_serving(on: On) -> None:
    serving(on)
    more, fewer = system_objects(SYSTEM, replicas=3), system_objects(SYSTEM, replicas=1)

    (change,) = on.runtime.preview(SYSTEM, more)
    assert change.fields == (FieldChange("spec.replicas", 1, 3),)
    seat = roll_out(on, more)
    assert (seat.wanted, seat.ready, seat.updated) == (3, 3, 3)
    seat = roll_out(on, fewer)
    assert (seat.wanted, seat.ready, seat.updated) == (1, 1, 1)


def test_a_held_rollout_stays_where_it_is_until_it_goes_on(on: On) -> None:
    objects = serving(on)
    newer = with_env(objects, "seat", VERSION="2")

    on.runtime.apply(SYSTEM, held(newer), SECRETS)

    eventually(lambda: seat_of(on.runtime.observe(SYSTEM)).reason == "Paused")
    for _ in range(LOOKS_WHILE_HELD):
        seen = on.runtime.observe(SYSTEM)
        seat = seat_of(seen)
        assert (seen.health, seat.health, seat.ready, seat.updated) == (Health.PROGRESSING, Health.PROGRESSING, 1, 0)
        assert seen.fingerprint == fingerprint(held(newer), SECRETS)
    assert on.runtime.preview(SYSTEM, held(newer)) == []
    seat = roll_out(on, newer)
    assert (seat.updated, seat.reason) == (1, "")


def test_a_held_rollout_can_be_given_up(on: On) -> None:
    objects = serving(on)
    on.runtime.apply(SYSTEM, held(with_env(objects, "seat", VERSION="2")), SECRETS)
    eventually(lambda: seat_of(on.runtime.observe(SYSTEM)).reason == "Paused")

    seat = roll_out(on, objects)

    assert (seat.updated, seat.restarts) == (1, 0)


def test_what_is_held_with_nothing_to_roll_out_is_ready(on: On) -> None:
    objects = serving(on)

    roll_out(on, held(objects))
    roll_out(on, objects)


def test_a_move_is_ready_there_before_it_ends_here(on: On) -> None:
    objects = serving(on)
    node = next(node for node in on.runtime.nodes() if node.is_ready)
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node.name]}]}

    def tie(template: dict[str, Any]) -> None:
        terms = {"nodeSelectorTerms": [term]}
        template["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}

    seat = roll_out(on, changed(objects, tie))

    assert seat.nodes == (node.name,)


def test_a_restart_replaces_every_copy_without_a_gap(on: On) -> None:
    objects = system_objects(SYSTEM, replicas=2)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    on.await_health(SYSTEM, Health.READY)

    def again(template: dict[str, Any]) -> None:
        template["metadata"]["annotations"] = {"clove.dev/restarts": "1"}

    seat = roll_out(on, changed(objects, again))

    assert (seat.ready, seat.updated, seat.restarts) == (2, 2, 0)


def test_a_suspended_system_rests_and_comes_back(on: On) -> None:
    objects = serving(on)
    resting = system_objects(SYSTEM, replicas=0)

    on.runtime.apply(SYSTEM, resting, SECRETS)

    seen = on.await_health(SYSTEM, Health.SUSPENDED)
    assert (seat_of(seen).ready, seat_of(seen).wanted) == (0, 0)
    assert seen.fingerprint == fingerprint(resting, SECRETS)
    on.runtime.apply(SYSTEM, objects, SECRETS)
    seat = seat_of(on.await_health(SYSTEM, Health.READY))
    assert (seat.ready, seat.wanted) == (1, 1)


def test_another_size_is_given_without_a_gap(on: On) -> None:
    objects = serving(on)
    larger = copy.deepcopy(objects)
    for item in larger:
        if item["kind"] == "Deployment":
            item["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = {"cpu": "2", "memory": "160Mi"}

    seat = roll_out(on, larger)

    assert (seat.ready, seat.updated, seat.restarts) == (1, 1, 0)
    assert seat.resize in (None, Resize(is_in_place=True))
    assert on.runtime.preview(SYSTEM, larger) == []

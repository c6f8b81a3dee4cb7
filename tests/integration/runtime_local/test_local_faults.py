"""Invariants: a service that dies answers again; a supervisor that dies is succeeded by one that finds everything as it was; nothing
that is not ours is touched; nothing of ours is left."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from controlplane.lib.startmark import start_mark
from controlplane.runtime.holding import held
from controlplane.runtime.local.claims import MARK
from controlplane.runtime.port import Health
from tests.integration.runtime_local.load import Load
from tests.runtime_contract.supervised import Supervised, eventually
from tests.runtime_contract.systems import SECRETS, ref, system_objects, with_env

SYSTEM = ref(1)
HOST = "clove-1.localhost"


def _up(supervisor: Supervised, objects: list[dict[str, Any]] | None = None) -> None:
    supervisor.runtime.apply(SYSTEM, objects or system_objects(SYSTEM), SECRETS)
    supervisor.await_health(SYSTEM, Health.READY)


def _facts(supervisor: Supervised, service: str = "seat") -> tuple[int, str]:
    status, facts = supervisor.get(SYSTEM, f"/api/{service}/x")
    assert status == 200
    return facts["pid"], facts["env"]["PORT"]


def _await_restarts(supervisor: Supervised, restarts: int) -> None:
    """Until so many replicas of the first service were started anew and two are ready."""
    eventually(lambda: supervisor.runtime.observe(SYSTEM).workloads[0], until=lambda seat: (seat.restarts, seat.ready) == (restarts, 2))


def test_a_killed_service_answers_again(supervisor: Supervised) -> None:
    _up(supervisor)
    pid, _ = _facts(supervisor)

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[0], until=lambda status: status == 200, bound_s=5)
    assert _facts(supervisor)[0] != pid
    seat = supervisor.await_health(SYSTEM, Health.READY).workload("seat")
    assert seat is not None
    assert seat.restarts == 1


def test_the_last_lines_of_a_service_that_crashed_are_kept(supervisor: Supervised) -> None:
    _up(supervisor)

    assert supervisor.get(SYSTEM, "/api/seat/crash")[0] == 503
    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[0], until=lambda status: status == 200)
    assert supervisor.ask("POST", SYSTEM, "/api/seat/crash")[0] == 502

    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[0], until=lambda status: status == 200)
    assert "about to crash" in "\n".join(supervisor.runtime.logs(SYSTEM, "seat", 100))


def test_with_two_replicas_nobody_notices_that_one_is_killed(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, replicas=2))
    with Load(supervisor.port, HOST) as load:
        eventually(lambda: len(load.pids), until=lambda pids: pids == 2)
        for kills in (1, 2, 3):
            os.kill(_facts(supervisor)[0], signal.SIGKILL)
            _await_restarts(supervisor, kills)
            seen = load.answers
            eventually(lambda seen=seen: load.answers, until=lambda answers, seen=seen: answers > seen + 20)

    assert load.failures == {}


def test_the_killed_leader_of_several_processes_takes_them_with_it(supervisor: Supervised, tmp_path: Path) -> None:
    """A server's workers would keep its port, and its place in the database, from its successor."""
    supervisor.stop()
    images = json.loads(supervisor.images.read_text())
    image = next(iter(images.values()))
    command = " ".join(image["command"])
    image["command"] = ["/bin/sh", "-c", f"{command} & wait"]
    supervisor.images.write_text(json.dumps(images))
    supervisor.start()
    _up(supervisor)
    worker, _ = _facts(supervisor)
    leader = psutil.Process(worker).ppid()

    os.kill(leader, signal.SIGKILL)

    eventually(lambda: start_mark(worker), until=lambda mark: mark is None)
    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[0], until=lambda status: status == 200)


def test_a_killed_supervisor_leaves_all_running_and_the_next_one_adopts_it(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, "seat", "event", replicas=2))
    before = {child.pid for child in supervisor.children()}

    supervisor.kill()
    assert {child.pid for child in supervisor.children()} == before
    runtime = supervisor.start()

    status, _ = supervisor.get(SYSTEM, "/api/seat/x")
    assert status == 200
    seen = supervisor.await_health(SYSTEM, Health.READY)
    assert {child.pid for child in supervisor.children()} == before
    assert [workload.restarts for workload in seen.workloads] == [0, 0]
    assert runtime.logs(SYSTEM, "seat", 5)


def test_an_adopted_service_is_watched_as_any_other(supervisor: Supervised) -> None:
    _up(supervisor)
    supervisor.kill()
    supervisor.start()
    pid, _ = _facts(supervisor)

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[0], until=lambda status: status == 200, bound_s=5)


def test_a_service_that_died_with_the_supervisor_is_started_by_the_next_one(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, "seat", "event"))
    (seat, _), (event, _) = _facts(supervisor, "seat"), _facts(supervisor, "event")
    supervisor.kill()
    os.kill(seat, signal.SIGKILL)

    supervisor.start()

    supervisor.await_health(SYSTEM, Health.READY)
    assert _facts(supervisor, "seat")[0] != seat
    assert _facts(supervisor, "event")[0] == event


def test_a_supervisor_killed_amid_a_rollout_is_succeeded_by_one_that_ends_it(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM, "seat", "event", replicas=2)
    _up(supervisor, objects)
    newer = with_env(objects, "seat", VERSION="2", STARTS_AFTER_S="0.3")
    supervisor.runtime.apply(SYSTEM, newer, SECRETS)
    eventually(lambda: len(supervisor.children()), until=lambda count: count > 4)

    supervisor.kill()
    supervisor.start()

    seen = supervisor.await_health(SYSTEM, Health.READY)
    assert {workload.name: workload.updated for workload in seen.workloads} == {"seat": 2, "event": 2}
    eventually(lambda: len(supervisor.children()), until=lambda count: count == 4)
    assert {supervisor.get(SYSTEM, "/api/seat/x")[1]["version"] for _ in range(4)} == {"2"}


def test_what_is_no_longer_wanted_is_stopped_by_the_next_supervisor(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, "seat", "merch"))
    supervisor.kill()
    supervisor.runtime.apply(SYSTEM, system_objects(SYSTEM, "seat"), SECRETS)

    supervisor.start()

    supervisor.await_health(SYSTEM, Health.READY)
    eventually(lambda: len(supervisor.children()), until=lambda count: count == 1)


def test_a_process_that_got_a_pid_by_chance_is_neither_adopted_nor_killed(supervisor: Supervised) -> None:
    _up(supervisor)
    pid, _ = _facts(supervisor)
    supervisor.kill()
    os.kill(pid, signal.SIGKILL)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True)
    try:
        (state_file,) = (supervisor.home / SYSTEM.namespace / "pods").glob("*/pod.json")
        state = json.loads(state_file.read_text())
        assert state["containers"]["seat"]["pid"] == pid
        state["containers"]["seat"]["pid"] = stranger.pid
        state_file.write_text(json.dumps(state))

        supervisor.start()

        supervisor.await_health(SYSTEM, Health.READY)
        assert _facts(supervisor)[0] not in (pid, stranger.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_damaged_state_does_not_keep_the_supervisor_from_starting(supervisor: Supervised) -> None:
    _up(supervisor)
    supervisor.stop()
    for place in ("pods/seat-x/pod.json", "pods/seat-y/other"):
        path = supervisor.home / SYSTEM.namespace / place
        path.parent.mkdir(parents=True)
        path.write_text("{")
    other = supervisor.home / "clove-2"
    other.mkdir()
    (other / "desired.json").write_text('{"half": ')

    supervisor.start()

    supervisor.await_health(SYSTEM, Health.READY)
    assert supervisor.runtime.observe(ref(2)).health is Health.FAILED


def test_what_runs_goes_on_while_what_is_wanted_cannot_be_read(supervisor: Supervised) -> None:
    _up(supervisor)
    pid, _ = _facts(supervisor)
    desired = supervisor.home / SYSTEM.namespace / "desired.json"
    wanted = desired.read_bytes()
    supervisor.kill()
    desired.write_bytes(wanted[:100])

    supervisor.start()

    assert supervisor.await_health(SYSTEM, Health.FAILED).reason == "NotReadable"
    assert [child.pid for child in supervisor.children()] == [pid]
    desired.write_bytes(wanted)
    supervisor.await_health(SYSTEM, Health.READY)
    assert _facts(supervisor)[0] == pid


def test_the_end_of_a_supervisor_is_the_end_of_all_it_ran(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, "seat", "event", "web", replicas=2))
    assert len(supervisor.children()) == 6

    assert supervisor.stop() == 0

    assert supervisor.children() == []
    assert list((supervisor.home / SYSTEM.namespace / "pods").iterdir()) == []


def test_it_can_leave_its_children_to_the_next_one(supervisor: Supervised) -> None:
    supervisor.stop()
    supervisor.start("--leave-children")
    _up(supervisor)
    pid, _ = _facts(supervisor)

    assert supervisor.stop() == 0
    supervisor.start()

    supervisor.await_health(SYSTEM, Health.READY)
    assert _facts(supervisor)[0] == pid


def test_a_second_signal_ends_the_waiting_for_services_that_do_not_end(supervisor: Supervised) -> None:
    _up(supervisor)
    with Load(supervisor.port, HOST, "/api/seat/slow?s=8", clients=1):
        eventually(lambda: "slow" in "\n".join(supervisor.runtime.logs(SYSTEM, "seat", 5)) or supervisor.process.poll() is None)
        supervisor.process.send_signal(signal.SIGTERM)
        eventually(lambda: "stopping" in supervisor.log.read_text())
        supervisor.process.send_signal(signal.SIGINT)
        assert supervisor.process.wait(10) == 0

    assert supervisor.children() == []


def test_a_deletion_asked_for_while_none_runs_is_done_by_the_next_supervisor(supervisor: Supervised) -> None:
    _up(supervisor)
    supervisor.kill()

    supervisor.runtime.delete(SYSTEM)
    supervisor.runtime.delete(SYSTEM)
    supervisor.start()

    supervisor.await_health(SYSTEM, Health.ABSENT)
    assert supervisor.children() == []
    assert not (supervisor.home / SYSTEM.namespace).exists()


def test_a_change_whose_poke_was_lost_is_found(supervisor: Supervised) -> None:
    _up(supervisor)
    runtime = supervisor.runtime
    runtime._poke = lambda system: None  # type: ignore[method-assign]
    runtime.apply(SYSTEM, with_env(system_objects(SYSTEM), "seat", VERSION="2"), SECRETS)

    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[1]["version"], until=lambda version: version == "2")


def test_a_hold_outlives_the_supervisor_and_a_crash_of_what_serves(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM)
    _up(supervisor, objects)
    newer = with_env(objects, "seat", VERSION="2")
    supervisor.runtime.apply(SYSTEM, held(newer), SECRETS)
    pid, _ = _facts(supervisor)

    supervisor.kill()
    supervisor.start()
    os.kill(pid, signal.SIGKILL)

    def serving() -> int:
        seat = supervisor.runtime.observe(SYSTEM).workload("seat")
        assert seat
        assert (seat.reason, seat.updated) == ("Paused", 0)
        return seat.ready

    eventually(lambda: supervisor.get(SYSTEM, "/api/seat/x")[0], until=lambda status: status == 200, bound_s=10)
    eventually(serving, until=lambda ready: ready == 1, bound_s=10)
    supervisor.runtime.apply(SYSTEM, newer, SECRETS)
    supervisor.await_health(SYSTEM, Health.READY)


def test_a_hold_of_nothing_that_serves_holds_nothing(supervisor: Supervised) -> None:
    supervisor.runtime.apply(SYSTEM, held(system_objects(SYSTEM)), SECRETS)

    supervisor.await_health(SYSTEM, Health.READY)


def test_a_service_whose_volume_somebody_removed_does_not_start_on_an_empty_one(supervisor: Supervised) -> None:
    _up(supervisor)
    pid, _ = _facts(supervisor)
    volume = supervisor.home / SYSTEM.namespace / "volumes" / "seat-data"
    shutil.rmtree(volume)

    os.kill(pid, signal.SIGKILL)

    seen = eventually(lambda: supervisor.runtime.observe(SYSTEM), until=lambda seen: seen.reason == "StartError")
    assert "seat-data is gone" in seen.message
    assert seen.volumes == {}
    assert not volume.exists()
    supervisor.runtime.close(SYSTEM, system_objects(SYSTEM))
    assert supervisor.await_health(SYSTEM, Health.SUSPENDED).volumes == {}
    assert supervisor.get(SYSTEM, "/api/seat/x")[0] == 503


def test_a_volume_that_somebody_removes_is_told_without_being_asked(supervisor: Supervised) -> None:
    _up(supervisor)
    events = supervisor.runtime.events()
    next(event for event in events if event == SYSTEM)

    shutil.rmtree(supervisor.home / SYSTEM.namespace / "volumes" / "seat-data")

    assert SYSTEM in itertools.islice(events, 10), "within some heartbeats"
    assert supervisor.runtime.observe(SYSTEM).volumes == {}


def test_volumes_of_an_earlier_release_are_taken_over_with_what_is_in_them(supervisor: Supervised) -> None:
    _up(supervisor)
    files = supervisor.home / SYSTEM.namespace
    (files / "volumes" / "seat-data" / "db.sqlite3").write_text("seats")
    supervisor.stop()
    (files / "claims.json").unlink()
    (files / "volumes" / "seat-data" / MARK).unlink()

    supervisor.start()

    seen = supervisor.await_health(SYSTEM, Health.READY)
    assert set(seen.volumes or {}) == {"seat-data"}
    assert (files / "volumes" / "seat-data" / "db.sqlite3").read_text() == "seats"

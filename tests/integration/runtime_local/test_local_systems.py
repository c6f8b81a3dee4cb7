"""What a booking system finds on this machine: files, peers, an environment of its own, and room to change."""

from __future__ import annotations

import copy
import stat
from typing import Any

import pytest

from controlplane.runtime.errors import OwnedByAnother, Rejected
from controlplane.runtime.port import Health
from tests.integration.runtime_local.load import Load
from tests.runtime_contract.supervised import Supervised, eventually
from tests.runtime_contract.systems import IMAGE, SECRETS, ref, system_objects, with_env

SYSTEM = ref(1)
HOST = "clove-1.localhost"


def _up(supervisor: Supervised, objects: list[dict[str, Any]], secrets: dict[str, dict[str, str]] | None = None) -> None:
    supervisor.runtime.apply(SYSTEM, objects, secrets or SECRETS)
    supervisor.await_health(SYSTEM, Health.READY)


def _container(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(item for item in objects if item["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]


def test_a_service_sees_what_it_was_given_and_nothing_of_the_supervisor(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, env={"OWN": "$(LANGUAGE) on $(PORT)"}))

    env = supervisor.get(SYSTEM, "/api/seat/x")[1]["env"]

    assert "PARENT_SECRET" not in env
    assert (env["SECRET"], env["LANGUAGE"], env["BAKED"]) == ("s3cret", "ko", "in")
    assert env["OWN"] == f"ko on {env['PORT']}"
    assert env["BIND"] == "127.0.0.1"


def test_a_service_finds_its_files_below_its_root(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM))

    assert supervisor.get(SYSTEM, "/file?path=/etc/clove/secrets/django-secret")[1] == {"text": "s3cret"}


def test_secrets_are_readable_by_this_user_alone(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM))

    directories = [supervisor.home, *(path for path in supervisor.home.rglob("*") if path.is_dir() and not path.is_symlink())]
    assert [path for path in directories if stat.S_IMODE(path.stat().st_mode) != 0o700] == []
    assert stat.S_IMODE((supervisor.home / "clove-1" / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(supervisor.runtime._home.socket.stat().st_mode) == 0o600


def test_a_new_value_of_a_secret_reaches_a_running_service_as_a_file(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM)
    _up(supervisor, objects)
    pid = supervisor.get(SYSTEM, "/x")[1]["pid"]

    _up(supervisor, objects, {"seat-secrets": SECRETS["seat-secrets"] | {"django-secret": "rotated"}})

    assert supervisor.get(SYSTEM, "/file?path=/etc/clove/secrets/django-secret")[1] == {"text": "rotated"}
    assert supervisor.get(SYSTEM, "/x")[1]["pid"] == pid


def test_data_stays_through_updates_restarts_and_the_removal_of_the_service(supervisor: Supervised) -> None:
    both = system_objects(SYSTEM, "seat", "merch")
    _up(supervisor, both)
    supervisor.ask("POST", SYSTEM, "/api/merch/write?path=/var/lib/clove/db", b"orders")

    _up(supervisor, with_env(both, "merch", VERSION="2"))
    assert supervisor.get(SYSTEM, "/api/merch/file?path=/var/lib/clove/db")[1] == {"text": "orders"}
    _up(supervisor, system_objects(SYSTEM, "seat"))
    supervisor.stop()
    supervisor.start()
    _up(supervisor, both)

    assert supervisor.get(SYSTEM, "/api/merch/file?path=/var/lib/clove/db")[1] == {"text": "orders"}


def test_replicas_are_told_where_the_ready_ones_of_each_service_are(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, "seat", "event", replicas=2))

    hosts = supervisor.get(SYSTEM, "/hosts")[1]

    assert {service: len(addresses) for service, addresses in hosts.items()} == {"seat:8000": 2, "event:8000": 2}
    assert len({address for addresses in hosts.values() for address in addresses}) == 4
    supervisor.runtime.apply(SYSTEM, with_env(system_objects(SYSTEM, "seat", "event"), "event", UNREADY="yes"), SECRETS)
    eventually(lambda: supervisor.get(SYSTEM, "/hosts")[1]["event:8000"], until=lambda addresses: len(addresses) == 1)


def test_requests_are_shared_among_replicas(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, replicas=3))

    pids = {supervisor.get(SYSTEM, "/x")[1]["pid"] for _ in range(9)}

    assert len(pids) == 3


def test_init_containers_run_to_their_end_in_order_before_the_service(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM)
    mounts = [{"name": "data", "mountPath": "/var/lib/clove"}]
    pod = next(item for item in objects if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    say = 'printf "$WHO " >> "$CLOVE_ROOT/var/lib/clove/who"'
    pod["initContainers"] = [
        {"name": name, "image": IMAGE, "command": ["/bin/sh", "-c"], "args": [f"WHO={name}; {say}"], "volumeMounts": mounts}
        for name in ("first", "second")
    ]

    _up(supervisor, objects)

    assert supervisor.get(SYSTEM, "/file?path=/var/lib/clove/who")[1] == {"text": "first second "}


def test_an_init_container_that_fails_is_the_reason(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM)
    pod = next(item for item in objects if item["kind"] == "Deployment")["spec"]["template"]["spec"]
    pod["initContainers"] = [{"name": "migrate", "image": IMAGE, "command": ["/bin/sh", "-c", "echo no such table >&2; exit 9"]}]
    supervisor.runtime.apply(SYSTEM, objects, SECRETS)

    seen = supervisor.await_health(SYSTEM, Health.FAILED)

    assert "Container migrate ended with exit code 9" in seen.message
    assert "no such table" in seen.message


def test_a_rollout_under_load_loses_no_request(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM)
    _container(objects)["lifecycle"] = {"preStop": {"sleep": {"seconds": 1}}}
    _up(supervisor, objects)

    with Load(supervisor.port, HOST) as load, Load(supervisor.port, HOST, "/api/seat/slow?s=0.2") as slow:
        for version in ("2", "3", "4"):
            supervisor.runtime.apply(SYSTEM, with_env(objects, "seat", VERSION=version), SECRETS)
            eventually(lambda version=version: load.versions[version], until=lambda count: count > 20)
            eventually(lambda: len(supervisor.children()), until=lambda count: count == 1)

    assert load.failures == {}
    assert slow.failures == {}
    assert set(load.versions) == {"", "2", "3", "4"}


def test_while_a_new_revision_fails_the_old_one_serves_every_request(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM)
    _up(supervisor, objects)

    with Load(supervisor.port, HOST) as load:
        supervisor.runtime.apply(SYSTEM, with_env(objects, "seat", FAILS="KeyError: 'SEAT_PIN'"), SECRETS)
        seen = supervisor.await_health(SYSTEM, Health.FAILED)
        supervisor.runtime.apply(SYSTEM, objects, SECRETS)
        supervisor.await_health(SYSTEM, Health.READY)

    assert load.failures == {}
    assert "KeyError: 'SEAT_PIN'" in seen.message
    eventually(lambda: len(supervisor.children()), until=lambda count: count == 1)


def test_one_that_runs_but_is_never_ready_fails_when_its_time_is_over(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM, env={"UNREADY": "yes"})
    next(item for item in objects if item["kind"] == "Deployment")["spec"]["progressDeadlineSeconds"] = 1
    supervisor.runtime.apply(SYSTEM, objects, SECRETS)

    seen = supervisor.await_health(SYSTEM, Health.FAILED)

    assert seen.reason == "ProgressDeadlineExceeded"
    eventually(lambda: supervisor.runtime.observe(SYSTEM).message, until=lambda message: "/readyz answered 503" in message)


def test_one_that_never_comes_up_is_told_so_by_its_startup_probe(supervisor: Supervised) -> None:
    objects = system_objects(SYSTEM, env={"STARTS_AFTER_S": "60"})
    _container(objects)["startupProbe"] |= {"periodSeconds": 1, "failureThreshold": 1}
    supervisor.runtime.apply(SYSTEM, objects, SECRETS)

    seen = supervisor.await_health(SYSTEM, Health.FAILED)

    assert seen.reason == "StartupProbeFailed"


def test_scaling_starts_and_stops_replicas_and_restarts_none(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM))
    first = {child.pid for child in supervisor.children()}

    _up(supervisor, system_objects(SYSTEM, replicas=3))
    three = {child.pid for child in supervisor.children()}
    assert first < three
    assert len(three) == 3
    supervisor.runtime.apply(SYSTEM, system_objects(SYSTEM, replicas=0), SECRETS)
    supervisor.await_health(SYSTEM, Health.SUSPENDED)
    eventually(supervisor.children, until=lambda children: not children)

    assert supervisor.get(SYSTEM, "/x")[0] == 503


def test_two_systems_run_side_by_side_and_deleting_one_leaves_the_other(supervisor: Supervised) -> None:
    other = ref(2)
    _up(supervisor, system_objects(SYSTEM))
    supervisor.runtime.apply(other, system_objects(other), SECRETS)
    supervisor.await_health(other, Health.READY)

    supervisor.runtime.delete(SYSTEM)
    supervisor.await_health(SYSTEM, Health.ABSENT)

    assert supervisor.get(other, "/x")[0] == 200
    assert supervisor.get(SYSTEM, "/x")[0] == 404
    assert not (supervisor.home / SYSTEM.namespace).exists()


def test_a_host_name_of_another_system_is_refused_until_that_one_is_gone(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM, host="phantom.localhost"))
    other = ref(2)
    wanted = system_objects(other, host="phantom.localhost")

    for attempt in (lambda: supervisor.runtime.preview(other, wanted), lambda: supervisor.runtime.apply(other, wanted, SECRETS)):
        with pytest.raises(OwnedByAnother) as refusal:
            attempt()
        assert refusal.value.owner == SYSTEM.namespace
    supervisor.runtime.delete(SYSTEM)
    supervisor.await_health(SYSTEM, Health.ABSENT)
    supervisor.runtime.apply(other, wanted, SECRETS)
    supervisor.await_health(other, Health.READY)


def test_a_host_name_outside_the_base_domain_is_refused(supervisor: Supervised) -> None:
    with pytest.raises(Rejected, match=r"example\.org"):
        supervisor.runtime.preview(SYSTEM, system_objects(SYSTEM, host="phantom.example.org"))


def test_a_missing_secret_is_refused_before_anything_is_written(supervisor: Supervised) -> None:
    with pytest.raises(Rejected, match="seat-secrets"):
        supervisor.runtime.apply(SYSTEM, system_objects(SYSTEM), {})

    assert not (supervisor.home / SYSTEM.namespace).exists()


def test_what_replicas_use_is_told(supervisor: Supervised) -> None:
    _up(supervisor, system_objects(SYSTEM))

    def seat() -> Any:
        return supervisor.runtime.observe(SYSTEM).workload("seat")

    used = eventually(seat, until=lambda workload: workload.memory_bytes is not None)
    assert used.memory_bytes > 5_000_000
    assert used.cpu_seconds > 0


def test_systems_start_in_the_order_they_were_told_to(supervisor: Supervised) -> None:
    systems = [ref(number) for number in (1, 2, 3)]
    for system in systems:
        supervisor.runtime.apply(system, system_objects(system, env={"STARTS_AFTER_S": "0.2"}), SECRETS)
    for system in systems:
        supervisor.await_health(system, Health.READY)
    supervisor.runtime.start_first(systems[2])
    supervisor.stop()

    supervisor.start()

    ready: list[int] = []

    def look() -> list[int]:
        for system in systems:
            if system.system_id not in ready and supervisor.runtime.observe(system).health is Health.READY:
                ready.append(system.system_id)
        return ready

    assert eventually(look, until=lambda seen: len(seen) == 3) == [3, 1, 2]


def test_a_system_that_asks_to_be_first_starts_before_others(supervisor: Supervised) -> None:
    first = ref(2)
    objects = copy.deepcopy(system_objects(first))
    objects[0]["metadata"]["annotations"] = {"clove.dev/start-first": "yes"}
    for system, wanted in ((SYSTEM, system_objects(SYSTEM, env={"STARTS_AFTER_S": "1"})), (first, objects)):
        supervisor.runtime.apply(system, wanted, SECRETS)
        supervisor.await_health(system, Health.READY)
    supervisor.stop()

    supervisor.start()

    supervisor.await_health(first, Health.READY)
    assert supervisor.runtime.observe(SYSTEM).health is Health.PROGRESSING


def test_a_system_that_has_not_started_yet_shows_a_page_that_waits(supervisor: Supervised) -> None:
    supervisor.runtime.apply(SYSTEM, system_objects(SYSTEM, env={"STARTS_AFTER_S": "1.5"}), SECRETS)

    status, page = supervisor.get(SYSTEM, "/", Accept="text/html", **{"Accept-Language": "ko"})
    assert status == 503
    assert 'http-equiv="refresh"' in page
    assert "곧 열립니다" in page
    status, problem = supervisor.get(SYSTEM, "/api/seat/x", Accept="*/*")
    assert (status, problem["code"]) == (503, "starting")
    eventually(lambda: supervisor.get(SYSTEM, "/")[0], until=lambda status: status == 200)

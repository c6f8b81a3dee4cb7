"""A worker that dies at any point: after every commit, before and after every call to the runtime and to the services.

What it leaves is the same from one commit or call that changes something to the next, so it dies once after each of these;
`./clove test faults` has it die at all points. Whatever happened, looking again ends the operation as it would have ended, and nothing
is left running that should not be.
"""

from __future__ import annotations

import copy
import itertools
import json
import shutil
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from controlplane.accounts.models import Role, User
from controlplane.runtime.port import Health
from controlplane.systems import data_loss, operating, reopening, services
from controlplane.systems.booking_api import BookingApi
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement
from tests.snapshots import Snapshot

pytestmark = pytest.mark.django_db(transaction=True)

DEAD = f"{socket.gethostname()[:60]}/999999999/{'0' * 16}/dead"


class Crash(BaseException):
    """kill -9, as far as one process can play it: no handler sees it."""


class Fuse:
    """Blows at the Nth point it is asked about; 0: never. `points` counts them, and `moves` are those just after which something lasts."""

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, blows_at: int) -> None:
        self.blows_at = blows_at
        self.points = 0
        self.moves: list[int] = []

    def __call__(self, *, is_move: bool = False) -> None:
        self.points += 1
        if is_move:
            self.moves.append(self.points)
        if self.points == self.blows_at:
            raise Crash


class BrittleRuntime(SiteRuntime):
    """The fake, with points before and after each call."""

    def __init__(self, site: Site, fuse: Fuse) -> None:
        super().__init__(site, ready_after=2)
        self.site = site
        self._fuse = fuse

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in ("preview", "apply", "close", "observe", "delete", "endpoint"):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse()
            result = value(*args, **kwargs)
            self._fuse(is_move=name not in ("preview", "endpoint"))
            return result

        return call


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    fuse = Fuse()
    commit, ask = connection.commit, BookingApi._call

    def brittle_commit() -> None:
        commit()
        fuse(is_move=True)

    def brittle_ask(self: BookingApi, method: str, *args: Any, **kwargs: Any) -> Any:
        fuse()
        answer = ask(self, method, *args, **kwargs)
        fuse(is_move=method != "GET")
        return answer

    monkeypatch.setattr(connection, "commit", brittle_commit)
    monkeypatch.setattr(BookingApi, "_call", brittle_ask)
    return fuse


def work(system: BookingSystem, runtime: SiteRuntime, *, looks: int = 25) -> BookingSystem:
    """Look at SYSTEM until nothing is running, as tasks, events and sweeps would."""
    for _ in range(looks):
        converge(system.pk, runtime=runtime)
        if not system.operations.filter(state=Operation.State.RUNNING).exists():
            converge(system.pk, runtime=runtime)
            break
    system.refresh_from_db()
    return system


class Beginning:
    """How things stand before the worker begins: the rows, the files, what runs, and what its services have. To go back to."""

    def __init__(self, runtime: BrittleRuntime) -> None:
        self._runtime, self._home = runtime, Path(django_settings.CLOVE_HOME)
        self._rows = Snapshot(connection)
        self._files = {path: path.read_bytes() for path in self._home.rglob("*") if path.is_file()}
        self._runs = self._copied(runtime.__dict__)
        self._served = self._copied(runtime.site.__dict__)

    def again(self) -> None:
        self._rows.restore()
        shutil.rmtree(self._home, ignore_errors=True)
        for path, content in self._files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._runtime.__dict__.update(self._copied(self._runs))
        self._runtime.site.__dict__.update(self._copied(self._served))

    @staticmethod
    def _copied(state: dict[str, Any]) -> dict[str, Any]:
        """What a test can change of STATE; not the queue of events, which nobody reads here."""
        return {name: copy.deepcopy(value) for name, value in state.items() if isinstance(value, dict | list | itertools.count)}


@pytest.fixture(params=["after every move", pytest.param("everywhere", marks=pytest.mark.slow)])
def is_everywhere(request: pytest.FixtureRequest) -> bool:
    """Whether a worker dies at all points, or at those alone at which it leaves what it has not left before."""
    return bool(request.param == "everywhere")


def crash_everywhere(
    fuse: Fuse,
    runtime: BrittleRuntime,
    begin: Callable[[], BookingSystem],
    check: Callable[[BookingSystem], None],
    is_everywhere: bool,
) -> int:
    """Begin, and once no worker dies. Then for each point go back, die at it, let another worker find the dead one's lease, and CHECK.

    Returns how many points there are. Where the machine is busy a run may have one more than the next, which looks once less.
    """
    fuse.begin(0)
    primary_key = begin().pk
    beginning = Beginning(runtime)

    def dies_at(point: int) -> bool:
        """Whether it came to POINT; 0 is none."""
        beginning.again()
        fuse.begin(point)
        try:
            work(BookingSystem.objects.get(pk=primary_key), runtime)
        except Crash:
            BookingSystem.objects.exclude(lease_owner="").update(lease_owner=DEAD)
            return True
        return False

    assert not dies_at(0)
    points, moves = fuse.points, fuse.moves
    fuse.begin(0)
    check(BookingSystem.objects.get(pk=primary_key))
    deaths, tried = 0, [*range(1, points + 1)] if is_everywhere else [1, *moves]
    for point in tried:
        deaths += dies_at(point)
        fuse.begin(0)
        check(work(BookingSystem.objects.get(pk=primary_key), runtime))
    assert deaths > 0.9 * len(tried)
    return points


def test_a_deployment_goes_live_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse, is_everywhere: bool) -> None:
    runtime = BrittleRuntime(site, fuse)

    def begin() -> BookingSystem:
        site.calls.clear()
        return services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)

    def check(system: BookingSystem) -> None:
        operation = system.operations.get()
        assert (system.state, operation.state, system.reason) == (State.LIVE, "succeeded", "")
        assert {step.state for step in operation.steps.all()} == {"done"}
        assert system.revisions.count() == 1
        assert set(site.puts()) == {"seat", "event", "ticket", "merch"}
        assert runtime.observe(system.ref).fingerprint == system.live_fingerprint
        assert system.lease_owner == ""

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) >= 40


def test_a_deployment_that_fails_ends_failed_and_cleared_away_wherever_its_worker_dies(
    seller: Any, site: Site, fuse: Fuse, is_everywhere: bool
) -> None:
    runtime = BrittleRuntime(site, fuse)

    def begin() -> BookingSystem:
        system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
        runtime.will_fail(system.namespace, "seat", message="it crashed")
        return system

    def check(system: BookingSystem) -> None:
        assert (system.state, system.reason_code, system.operations.get().state) == (State.FAILED, "workload_failed", "failed")
        assert runtime.observe(system.ref).health is Health.ABSENT

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) >= 15


def test_an_update_that_fails_keeps_the_live_revision_wherever_its_worker_dies(
    seller: Any, site: Site, fuse: Fuse, is_everywhere: bool
) -> None:
    runtime = BrittleRuntime(site, fuse)

    def begin() -> BookingSystem:
        system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
        work(system, runtime)
        services.system_update(system=system, requirement=numbered_requirement(payment="none", title="새 제목"), acting_user=seller)
        runtime.will_fail(system.namespace, "seat", message="it crashed")
        return system

    def check(system: BookingSystem) -> None:
        runtime.recovers(system.namespace, "seat")
        work(system, runtime)
        work(system, runtime)
        system.refresh_from_db()
        assert (system.state, system.reason_code) == (State.LIVE, "workload_failed")
        assert system.live_revision
        assert system.live_revision.number == 1
        assert runtime.observe(system.ref).fingerprint == system.live_fingerprint
        assert site.content["event"]["title"] == "작은 뮤지컬"

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) >= 15


def test_a_deletion_ends_with_nothing_left_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse, is_everywhere: bool) -> None:
    runtime = BrittleRuntime(site, fuse)

    def begin() -> BookingSystem:
        system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
        work(system, runtime)
        runtime.deletes_after(system.namespace, looks=1)
        services.system_delete(system=system, typed_name="little", acting_user=seller)
        return system

    def check(system: BookingSystem) -> None:
        assert (system.state, system.slug, system.operations.first().state) == (State.DELETED, None, "succeeded")  # type: ignore[union-attr]
        assert not system.secrets.exists()
        assert system.namespace not in runtime.systems

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) >= 12


def test_data_that_are_gone_are_replaced_by_nothing_wherever_a_worker_dies(
    seller: Any, site: Site, fuse: Fuse, is_everywhere: bool
) -> None:
    runtime = BrittleRuntime(site, fuse)

    def begin() -> BookingSystem:
        system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
        work(system, runtime)
        runtime.loses_object(system.namespace, "PersistentVolumeClaim", "seat-data")
        return system

    def check(system: BookingSystem) -> None:
        work(system, runtime)
        system.refresh_from_db()
        assert (system.state, system.reason_code) == (State.DATA_GONE, "data_gone")
        seen = runtime.observe(system.ref)
        assert "seat-data" not in (seen.volumes or {})
        assert {workload.wanted for workload in seen.workloads} == {0}

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) >= 6


def test_a_system_is_opened_without_its_data_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse, is_everywhere: bool) -> None:
    runtime = BrittleRuntime(site, fuse)
    admin = User.objects.create_user("admin@example.kr", "pw", role=Role.ADMIN)
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    work(system, runtime)

    def begin() -> BookingSystem:
        runtime.systems.pop(system.namespace)
        work(system, runtime)
        site.calls.clear()
        reopening.system_reopen(system=system, rests=False, acting_user=admin)
        return system

    def check(system: BookingSystem) -> None:
        assert (system.state, system.operations.first().state, system.reason) == (State.LIVE, "succeeded", "")  # type: ignore[union-attr]
        assert set(site.puts()) == {"seat", "event", "ticket"}
        work(system, runtime)
        system.refresh_from_db()
        assert data_loss.keeps(system) == runtime.observe(system.ref).volumes

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) >= 20


def trusted(system: BookingSystem, runtime: SiteRuntime) -> dict[str, set[str]]:
    """Issuer -> the ids of the keys that the services trust."""
    found: dict[str, set[str]] = {}
    for key in json.loads(runtime.systems[system.namespace].secrets["trust"]["jwks.json"])["keys"]:
        found.setdefault(key["clove_iss"], set()).add(key["kid"])
    return found


def signing(system: BookingSystem, runtime: SiteRuntime) -> dict[str, str]:
    """Secret and file -> the id of the key that signs."""
    given = runtime.systems[system.namespace].secrets
    return {f"{name}/{file}": json.loads(text)["kid"] for name, files in given.items() for file, text in files.items() if '"d":' in text}


def test_keys_are_changed_and_none_is_missed_wherever_the_worker_dies(
    seller: Any, site: Site, fuse: Fuse, is_everywhere: bool, settings: Any
) -> None:
    settings.MOUNT_DELAY_S = 0
    runtime = BrittleRuntime(site, fuse)
    system = work(services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True), runtime)
    before: dict[str, Any] = {}

    def begin() -> BookingSystem:
        BookingSystem.objects.exclude(old_keys_until=None).update(old_keys_until=timezone.now() - timedelta(seconds=1))
        work(system, runtime)
        before.update(signing=signing(system, runtime), trusted=trusted(system, runtime))
        assert {len(kids) for issuer, kids in before["trusted"].items() if not issuer.endswith("/auth")} == {1}
        operating.system_rotate_keys(system=system, acting_user=seller)
        return system

    def check(system: BookingSystem) -> None:
        operation = system.operations.first()
        assert operation
        assert (operation.state, system.state) == ("succeeded", State.LIVE)
        now = signing(system, runtime)
        assert now.keys() == before["signing"].keys()
        assert not {name for name in now if now[name] == before["signing"][name]}
        # The old and the new, and no third that a dead worker made: it would sign nothing, and be trusted.
        for issuer, kids in trusted(system, runtime).items():
            assert before["trusted"][issuer] < kids
            assert len(kids) == 2 * len(before["trusted"][issuer])
        assert system.old_keys_until
        assert runtime.observe(system.ref).fingerprint == system.live_fingerprint

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) > 30


def test_old_keys_go_wherever_the_worker_dies(seller: Any, site: Site, fuse: Fuse, is_everywhere: bool, settings: Any) -> None:
    settings.MOUNT_DELAY_S = 0
    runtime = BrittleRuntime(site, fuse)
    system = work(services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True), runtime)

    def begin() -> BookingSystem:
        operating.system_rotate_keys(system=system, acting_user=seller)
        work(system, runtime)
        assert {len(kids) for issuer, kids in trusted(system, runtime).items() if not issuer.endswith("/auth")} == {2}
        BookingSystem.objects.update(old_keys_until=timezone.now() - timedelta(seconds=1))
        return system

    def check(system: BookingSystem) -> None:
        work(system, runtime)
        assert {len(kids) for issuer, kids in trusted(system, runtime).items() if not issuer.endswith("/auth")} == {1}
        assert system.old_keys_until is None
        assert runtime.observe(system.ref).fingerprint == system.live_fingerprint

    assert crash_everywhere(fuse, runtime, begin, check, is_everywhere) > 5

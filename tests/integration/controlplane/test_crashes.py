"""A worker that dies at any point: after every commit, before and after every call to the runtime and to the services.

Whatever happened, looking again ends the operation as it would have ended, and nothing is left running that should not be.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from controlplane.runtime.port import Health
from controlplane.systems import services
from controlplane.systems.booking_api import BookingApi
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, Operation, State
from tests.controlplane import Site, SiteRuntime, numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)

DEAD = f"{socket.gethostname()[:60]}/999999999/{'0' * 16}/dead"


class Crash(BaseException):
    """kill -9, as far as one process can play it: no handler sees it."""


class Fuse:
    """Blows at the Nth point it is asked about; 0: never. `points` counts them."""

    def __init__(self) -> None:
        self.blows_at = 0
        self.points = 0

    def __call__(self) -> None:
        self.points += 1
        if self.points == self.blows_at:
            raise Crash


class BrittleRuntime(SiteRuntime):
    """The fake, with points before and after each call."""

    def __init__(self, site: Site, fuse: Fuse) -> None:
        super().__init__(site, ready_after=2)
        self._fuse = fuse

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in ("preview", "apply", "observe", "delete", "endpoint"):
            return value

        def call(*args: Any) -> Any:
            self._fuse()
            result = value(*args)
            self._fuse()
            return result

        return call


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    fuse = Fuse()
    commit, ask = connection.commit, BookingApi._call

    def brittle_commit() -> None:
        commit()
        fuse()

    def brittle_ask(self: BookingApi, *args: Any, **kwargs: Any) -> Any:
        fuse()
        answer = ask(self, *args, **kwargs)
        fuse()
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


def crash_everywhere(fuse: Fuse, runtime: SiteRuntime, begin: Callable[[], BookingSystem], check: Callable[[BookingSystem], None]) -> int:
    """For each point there is: begin anew, die there, let another worker find the dead one's lease, and CHECK. Returns the points."""
    points = 0
    while True:
        fuse.blows_at = 0
        system = begin()
        fuse.points, fuse.blows_at = 0, points + 1
        try:
            work(system, runtime)
        except Crash:
            points += 1
            BookingSystem.objects.exclude(lease_owner="").update(lease_owner=DEAD)
            fuse.blows_at = 0
            check(work(system, runtime))
        else:
            fuse.blows_at = 0
            check(system)
            return points


def remove(system: BookingSystem, runtime: SiteRuntime) -> None:
    """Make room for the next round."""
    runtime.recovers(system.namespace, "seat")
    runtime.systems.pop(system.namespace, None)
    BookingSystem.objects.filter(pk=system.pk).update(slug=None, state=State.DELETED)


def test_a_deployment_goes_live_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse) -> None:
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
        remove(system, runtime)

    assert crash_everywhere(fuse, runtime, begin, check) >= 40


def test_a_deployment_that_fails_ends_failed_and_cleared_away_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse) -> None:
    runtime = BrittleRuntime(site, fuse)

    def begin() -> BookingSystem:
        system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
        runtime.will_fail(system.namespace, "seat", message="it crashed")
        return system

    def check(system: BookingSystem) -> None:
        assert (system.state, system.reason_code, system.operations.get().state) == (State.FAILED, "workload_failed", "failed")
        assert runtime.observe(system.ref).health is Health.ABSENT
        remove(system, runtime)

    assert crash_everywhere(fuse, runtime, begin, check) >= 15


def test_an_update_that_fails_keeps_the_live_revision_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse) -> None:
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
        remove(system, runtime)

    assert crash_everywhere(fuse, runtime, begin, check) >= 15


def test_a_deletion_ends_with_nothing_left_wherever_its_worker_dies(seller: Any, site: Site, fuse: Fuse) -> None:
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

    assert crash_everywhere(fuse, runtime, begin, check) >= 12

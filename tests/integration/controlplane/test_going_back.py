"""Going back to an earlier revision never takes the database back: what a later server wrote an earlier one may not read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.rendering.database import SERVER
from controlplane.rendering.plan import from_json
from controlplane.runtime.health import system_health
from controlplane.runtime.port import Health, Observation, SystemRef, Workload
from controlplane.systems import services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.preview import rollback_preview
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)
OLDER, NEWER = "mariadb:11.4", "mariadb:11.8"


class WithServer(SiteRuntime):
    """Tells of the database's server as well: it is up but with an image that is among `broken`."""

    broken: frozenset[str] = frozenset()

    def observe(self, system: SystemRef) -> Observation:
        seen = super().observe(system)
        if image := self.image(system):
            health = Health.FAILED if image in self.broken else Health.READY
            server = Workload(SERVER, "StatefulSet", health, 1, 1, 1, reason="" if health is Health.READY else "ImageNotFound", image=image)
            workloads = (*seen.workloads, server)
            worst, reason, message = system_health(workloads)
            seen = replace(seen, health=worst, reason=reason, message=message, workloads=workloads)
        return seen

    def image(self, system: SystemRef) -> str:
        """Of the server that was applied last."""
        known = self.systems.get(system.namespace)
        found = [item for item in known.objects if item["kind"] == "StatefulSet"] if known else []
        return str(found[0]["spec"]["template"]["spec"]["containers"][0]["image"]) if found else ""


@pytest.fixture
def runtime(site: Site, settings: Any) -> WithServer:
    settings.RUNTIME, settings.BOOKING_DATABASE, settings.MARIADB_IMAGE = "fake", "mariadb", OLDER
    return WithServer(site)


def schemas(system: BookingSystem) -> set[str]:
    assert system.live_revision
    database = from_json(system.live_revision.plan).database
    assert database
    return set(database.schemas)


def test_a_rollback_keeps_the_server_and_every_schema(seller: Any, runtime: WithServer, settings: Any) -> None:
    system = deployed(seller, runtime, numbered_requirement(merchandise=False, products=[]))
    first = system.live_revision
    assert first
    settings.MARIADB_IMAGE = NEWER
    services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller)
    settle(system, runtime)
    assert runtime.image(system.ref) == NEWER

    shown = rollback_preview(system=system, revision=first, runtime=runtime)
    assert not [change for change in shown.changes if change["kind"] == "StatefulSet"]
    services.system_rollback(system=system, revision=first, acting_user=seller)
    settle(system, runtime)

    assert (system.state, last(system).state, runtime.image(system.ref)) == (State.LIVE, "succeeded", NEWER)
    assert "merch" in schemas(system)
    assert "merch" not in {workload.name for workload in runtime.observe(system.ref).workloads}


def test_the_live_revision_comes_back_on_the_server_that_a_failed_change_brought_up(
    seller: Any, runtime: WithServer, site: Site, settings: Any
) -> None:
    system = deployed(seller, runtime)
    settings.MARIADB_IMAGE = NEWER
    site.answers["POST", "/api/seat/probe"] = (409, {})
    services.system_update(system=system, requirement=numbered_requirement(limit_per_buyer=2), acting_user=seller)
    settle(system, runtime)
    assert last(system).reason_code == "check_probe"
    for _ in range(3):
        settle(system, runtime)

    assert runtime.image(system.ref) == NEWER
    assert system.live_revision
    assert system.live_revision.requirement.data["limit_per_buyer"] == 4
    assert system.live_fingerprint == runtime.observe(system.ref).fingerprint
    assert system.revisions.count() == 3, "told once"


def test_from_a_server_that_never_came_up_it_goes_back(seller: Any, runtime: WithServer, settings: Any) -> None:
    system = deployed(seller, runtime)
    settings.MARIADB_IMAGE = "mariadb:11.9"
    runtime.broken = frozenset({settings.MARIADB_IMAGE})
    services.system_update(system=system, requirement=numbered_requirement(limit_per_buyer=2), acting_user=seller)
    settle(system, runtime)
    assert (last(system).state, last(system).reason_code) == ("failed", "workload_failed")
    for _ in range(3):
        settle(system, runtime)

    assert runtime.image(system.ref) == OLDER
    assert system.live_revision
    assert system.live_revision.number == 1


def test_a_rollback_in_the_middle_of_a_change_keeps_the_server_that_is_up_already(
    seller: Any, runtime: WithServer, site: Site, settings: Any
) -> None:
    system = deployed(seller, runtime)
    first = system.live_revision
    assert first
    settings.MARIADB_IMAGE = NEWER
    site.answers["POST", "/api/seat/probe"] = (409, {})
    services.system_update(system=system, requirement=numbered_requirement(limit_per_buyer=2), acting_user=seller)
    converge(system.pk, runtime=runtime)
    assert (last(system).state, runtime.image(system.ref)) == ("running", NEWER)
    del site.answers["POST", "/api/seat/probe"]

    services.system_rollback(system=system, revision=first, acting_user=seller)
    settle(system, runtime)

    assert (last(system).state, runtime.image(system.ref)) == ("succeeded", NEWER)

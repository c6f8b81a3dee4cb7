"""A booking system with its database, as it is really rendered, at a real API server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from booking_templates import catalog
from controlplane.rendering import images
from controlplane.rendering import render as rendering
from controlplane.rendering.choose import choose
from controlplane.rendering.database import DatabaseChoice
from controlplane.rendering.plan import Platform, Restore, Site, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.requirement import validate
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import KubernetesRuntime
from controlplane.runtime.kubernetes.resources import BY_KIND
from controlplane.runtime.port import ChangeKind, SystemRef
from tests.controlplane import numbered_requirement
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import find

SECRETS = {
    "mariadb-secrets": {"root-password": "r", "client.cnf": "", "probe.cnf": "", "setup.sql": ""},
    "mariadb-backup": {"client.cnf": ""},
}


def rendered(
    system: SystemRef, image: str = "docker.io/library/mariadb:11.4", restore: Restore | None = None, **changes: Any
) -> list[dict[str, Any]]:
    requirement = validate(numbered_requirement(**changes))
    assert not isinstance(requirement, list), requirement
    pool = [images.from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]
    site = Site(system.system_id, system.namespace, system.seller, "little", "little.localhost", "http://little.localhost")
    platform = Platform("Asia/Seoul", "ko", {}, "clove-gateway", "clove", DatabaseChoice(image=image))
    plan = make_plan(requirement, choose(pool, requirement.facts).images, site=site, platform=platform)
    return render(replace(plan, restore=restore))


def test_nothing_of_it_is_warned_of_or_changed_by_a_second_apply(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = rendered(system)
    changes = runtime.preview(system, objects)
    assert {change.kind for change in changes} == {ChangeKind.CREATE}
    assert not [change.warning for change in changes if change.warning]

    runtime.apply(system, objects, SECRETS)
    before = cluster.versions(system.namespace)
    runtime.apply(system, objects, SECRETS)

    assert cluster.versions(system.namespace) == before
    assert {"StatefulSet/mariadb", "CronJob/mariadb-backup", "PersistentVolumeClaim/mariadb-backups"} <= before.keys()
    assert runtime.preview(system, objects) == []


def test_a_restore_is_applied_beside_the_rest_and_goes_with_the_next_revision(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    runtime.apply(system, rendered(system), SECRETS)
    restoring = rendered(system, restore=Restore("latest", 41))
    (change,) = runtime.preview(system, restoring)
    assert (change.kind, change.object_kind, change.name, change.warning) == (ChangeKind.CREATE, "Job", "mariadb-restore-41", "")

    for _ in range(2):
        runtime.apply(system, restoring, SECRETS)
        assert "mariadb-restore-41" in cluster.names(BY_KIND["Job"], system.namespace)
    runtime.apply(system, rendered(system), SECRETS)
    assert "mariadb-restore-41" not in cluster.names(BY_KIND["Job"], system.namespace)


def test_another_image_changes_the_server_in_place_and_replaces_the_setup(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    runtime.apply(system, rendered(system), SECRETS)
    first = cluster.names(BY_KIND["Job"], system.namespace)

    runtime.apply(system, rendered(system, image="docker.io/library/mariadb:11.8"), SECRETS)

    second = cluster.names(BY_KIND["Job"], system.namespace)
    assert len(first) == len(second) == 1
    assert first != second
    server = cluster.api.get(BY_KIND["StatefulSet"], "mariadb", system.namespace)
    assert server
    assert server["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":11.8")


def test_a_setup_that_an_earlier_release_rendered_otherwise_is_replaced(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setitem(rendering.POD_SECURITY, "supplementalGroups", [10002])
        earlier.setattr(rendering, "check", lambda objects: None)
        runtime.apply(system, rendered(system), SECRETS)
    first = cluster.names(BY_KIND["Job"], system.namespace)

    runtime.apply(system, rendered(system), SECRETS)

    assert len(cluster.names(BY_KIND["Job"], system.namespace) - first) == 1


@pytest.mark.parametrize("kind", ["StatefulSet", "Job", "CronJob"])
def test_what_pod_security_would_refuse_is_found_by_the_preview(runtime: KubernetesRuntime, system: SystemRef, kind: str) -> None:
    objects = rendered(system)
    item = next(item for item in objects if item["kind"] == kind)
    spec = item["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else item["spec"]
    spec["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}

    with pytest.raises(Exception, match=r"PodSecurity|Pod Security|privileged"):
        runtime.preview(system, objects)


@pytest.mark.parametrize("is_first", [True, False], ids=["forward", "back"])
def test_a_server_keeps_the_order_of_its_pods_with_a_revision_of_another_release(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, is_first: bool
) -> None:
    objects, earlier = rendered(system), rendered(system)
    del find(earlier, "StatefulSet", "mariadb")["spec"]["podManagementPolicy"]
    first, second = (earlier, objects) if is_first else (objects, earlier)
    runtime.apply(system, first, SECRETS)

    assert runtime.preview(system, second) == []
    runtime.apply(system, second, SECRETS)

    server = cluster.api.get(BY_KIND["StatefulSet"], "mariadb", system.namespace)
    assert server
    assert server["spec"]["podManagementPolicy"] == ("OrderedReady" if is_first else "Parallel")
    assert runtime.observe(system).applied == fingerprint(second, SECRETS)

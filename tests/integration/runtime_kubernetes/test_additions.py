"""What a hand adds to what Clove applied is found on a real API server, shown, and taken away; nothing else is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import Api, KubernetesRuntime, additions
from controlplane.runtime.kubernetes.notes import said
from controlplane.runtime.kubernetes.resources import BY_KIND, CONFIG_MAP, POD
from controlplane.runtime.port import FieldChange, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import find
from tests.runtime_contract.systems import IMAGE, SECRETS, system_objects, with_env

DEPLOYMENT, SERVICE, JOB = BY_KIND["Deployment"], BY_KIND["Service"], BY_KIND["Job"]
CONFINED = {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
SIDECAR = {"name": "dbg", "image": IMAGE, **CONFINED}

AS_BOOKING = {
    "serviceAccountName": "booking",
    "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
}


def in_pods(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


HANDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a variable": ("Deployment", "seat", in_pods(containers=[{"name": "seat", "env": [{"name": "DEBUG", "value": "1"}]}])),
    "a sidecar": ("Deployment", "seat", in_pods(containers=[SIDECAR])),
    "a container that runs before": ("Deployment", "seat", in_pods(initContainers=[SIDECAR])),
    "where pods run": ("Deployment", "seat", in_pods(nodeSelector={"disk": "ssd"})),
    "a field with a default": ("Deployment", "seat", in_pods(dnsPolicy="Default")),
    "a pause": ("Deployment", "seat", {"spec": {"paused": True}}),
    "a key": ("ConfigMap", "booking", {"data": {"EXTRA": "1"}}),
    "a key of a secret": ("Secret", "seat-secrets", {"stringData": {"extra": "1"}}),
    "a port": ("Service", "seat", {"spec": {"ports": [{"name": "debug", "port": 9000}]}}),
    "a rule": ("NetworkPolicy", "deny", {"spec": {"ingress": [{}]}}),
    "a label": ("Deployment", "seat", {"metadata": {"labels": {"team": "blue"}}}),
    "a label of pods": ("Deployment", "seat", {"spec": {"template": {"metadata": {"labels": {"team": "blue"}}}}}),
    "a label of the namespace": ("Namespace", "", {"metadata": {"labels": {"team": "blue"}}}),
}


@pytest.mark.parametrize(("kind", "name", "change"), HANDS.values(), ids=HANDS)
def test_what_a_hand_added_is_drift_is_shown_and_is_taken_away(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, kind: str, name: str, change: dict[str, Any]
) -> None:
    objects, name = system_objects(system), name or system.namespace
    path = BY_KIND[kind].path(name, system.namespace)
    runtime.apply(system, objects, SECRETS)
    before = said(cluster.api.find(path) or {})
    cluster.edit(path, change, manager="kubectl-edit")
    cluster.edit(path, {"metadata": {"annotations": {"their/note": "x"}}}, manager="kubectl-edit")
    noted = copy.deepcopy(before)
    noted["metadata"].setdefault("annotations", {})["their/note"] = "x"

    seen, changes = runtime.observe(system), runtime.preview(system, objects)
    runtime.apply(system, objects, SECRETS)

    assert (seen.fingerprint, seen.drift) == ("", f"{kind} {name} was changed by kubectl-edit.")
    # Values of secrets travel beside the objects, so a preview knows none.
    assert [(one.object_kind, one.name) for one in changes] == ([] if kind == "Secret" else [(kind, name)])
    assert said(cluster.api.find(path) or {}) == noted
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)
    assert runtime.preview(system, objects) == []
    versions = cluster.versions(system.namespace)
    runtime.apply(system, objects, SECRETS)
    assert cluster.versions(system.namespace) == versions


def test_a_preview_shows_what_goes_with_the_servers_own_value_in_its_place(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.edit(DEPLOYMENT.path("seat", system.namespace), in_pods(dnsPolicy="Default"), manager="kubectl-edit")
    before = cluster.versions(system.namespace)

    (change,) = runtime.preview(system, objects)

    assert change.fields == (FieldChange("spec.template.spec.dnsPolicy", "Default", "ClusterFirst"),)
    assert cluster.versions(system.namespace) == before


def test_an_addition_goes_in_the_one_rollout_of_an_update(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    path = DEPLOYMENT.path("seat", system.namespace)
    changed = {"containers": [{"name": "seat", "image": "theirs/image:1"}, SIDECAR]}
    generation = cluster.edit(path, in_pods(**changed), manager="kubectl-edit")["metadata"]["generation"]
    newer = with_env(objects, "seat", VERSION="2")

    runtime.apply(system, newer, SECRETS)

    found = cluster.api.find(path) or {}
    assert found["metadata"]["generation"] == generation + 1
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE
    assert {"name": "VERSION", "value": "2"} in container["env"]
    assert runtime.observe(system).fingerprint == fingerprint(newer, SECRETS)


OTHERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a rollout by hand": ("kubectl-rollout", "", {"spec": {"template": {"metadata": {"annotations": {"restartedAt": "now"}}}}}),
    "a finalizer": ("kubectl-edit", "", {"metadata": {"finalizers": ["example.org/hold"]}}),
    "a controller's label": ("their-controller", "", {"metadata": {"labels": {"team": "blue"}}}),
    "a controller's sidecar": ("their-injector", "", in_pods(containers=[SIDECAR])),
    "a note on how it stands": ("kubectl-edit", "/status", {"status": {"observedGeneration": 1}}),
}


@pytest.mark.parametrize(("manager", "part", "change"), OTHERS.values(), ids=OTHERS)
def test_what_is_anybodys_is_no_drift(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, manager: str, part: str, change: dict[str, Any]
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    path = DEPLOYMENT.path("seat", system.namespace)
    cluster.edit(path + part, change, manager=manager)

    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)
    assert runtime.preview(system, objects) == []
    version = (cluster.api.find(path) or {})["metadata"]["resourceVersion"]
    runtime.apply(system, objects, SECRETS)
    assert (cluster.api.find(path) or {})["metadata"]["resourceVersion"] == version


def test_a_number_of_copies_that_an_autoscaler_has_is_left_also_when_a_hand_set_it(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = system_objects(system, replicas=3)
    runtime.apply(system, objects, SECRETS)
    del find(objects, "Deployment", "seat")["spec"]["replicas"]
    runtime.apply(system, objects, SECRETS)
    path = DEPLOYMENT.path("seat", system.namespace)
    cluster.patch(f"{path}/scale", {"spec": {"replicas": 5}}, manager="kubectl-scale")

    assert runtime.observe(system).drift == ""
    runtime.apply(system, objects, SECRETS)

    assert (cluster.api.find(path) or {})["spec"]["replicas"] == 5


def test_what_a_hand_made_anew_loses_what_it_has_beyond_and_keeps_what_cannot_be_taken(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    path = SERVICE.path("seat", system.namespace)
    found = cluster.api.find(path) or {}
    cluster.delete(path)
    kept = {name: value for name, value in found["metadata"].items() if name in ("name", "labels")}
    spec = {**found["spec"], "sessionAffinity": "ClientIP"}
    cluster.create(SERVICE.collection(system.namespace), {**found, "metadata": kept, "spec": spec}, manager="kubectl-replace")

    runtime.apply(system, objects, SECRETS)

    now = (cluster.api.find(path) or {})["spec"]
    assert (now["sessionAffinity"], now["clusterIP"]) == ("None", found["spec"]["clusterIP"])
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


def test_who_dies_before_what_was_taken_is_dropped_leaves_it_seen(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.edit(CONFIG_MAP.path("booking", system.namespace), {"data": {"EXTRA": "1"}}, manager="kubectl-edit")

    additions.take(cluster.api, find(objects, "ConfigMap", "booking"))

    assert runtime.observe(system).drift == "ConfigMap booking was changed."
    runtime.apply(system, objects, SECRETS)
    assert (cluster.api.get(CONFIG_MAP, "booking", system.namespace) or {})["data"] == {"LANGUAGE": "ko"}


class _Hurried(Api):
    """Somebody changes the object just before its managers are written, once."""

    def __init__(self, cluster: Cluster, path: str) -> None:
        super().__init__(cluster.api._configure)
        self.cluster, self.path, self.is_due = cluster, path, True

    def patch(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        if self.is_due:
            self.is_due = False
            self.cluster.edit(self.path, {"data": {"MORE": "2"}}, manager="k9s")
        return super().patch(*arguments, **named)


def test_what_is_added_in_that_very_moment_is_taken_as_well(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    path = CONFIG_MAP.path("booking", system.namespace)
    cluster.edit(path, {"data": {"EXTRA": "1"}}, manager="kubectl-edit")

    KubernetesRuntime(_Hurried(cluster, path)).apply(system, [one for one in objects if one["kind"] != "HTTPRoute"], SECRETS)

    assert (cluster.api.find(path) or {})["data"] == {"LANGUAGE": "ko"}


def test_what_is_cloves_own_or_a_controllers_is_not_told_of_as_beside_it(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    pod_spec = {"containers": [SIDECAR], "restartPolicy": "Never"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": pod_spec}}}
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "mariadb-backup", "uid": "u-1", "controller": True}
    backup = {"name": "backup-now", "ownerReferences": [owner]}
    cluster.create(JOB.collection(system.namespace), {**job, "metadata": backup}, manager="kubectl-create")
    assert runtime.observe(system).drift == ""

    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "dbg"}, "spec": {**pod_spec, **AS_BOOKING}}
    cluster.create(POD.collection(system.namespace), pod, manager="kubectl-run")
    copied = copy.deepcopy(find(objects, "Deployment", "seat"))
    copied["metadata"]["name"] = "seat-two"
    cluster.create(DEPLOYMENT.collection(system.namespace), copied, manager="kubectl-create")

    seen = runtime.observe(system)
    assert seen.drift == "Not Clove's: Deployment seat-two, Pod dbg."
    assert seen.fingerprint == fingerprint(objects, SECRETS)

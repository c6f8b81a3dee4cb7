"""Applying to a real API server: what is written, what is left alone, and what every refusal becomes."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.runtime.errors import Forbidden, OwnedByAnother, Rejected, RuntimeUnavailable
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice, inventory
from controlplane.runtime.kubernetes.resources import BY_KIND, CONFIG_MAP, SECRET, Resource
from controlplane.runtime.managers import Hands
from controlplane.runtime.port import ChangeKind, Health, SystemRef
from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import api_of, find
from tests.integration.runtime_kubernetes.server import ApiServer
from tests.runtime_contract.systems import SECRETS, labels, scaled_objects, system_objects

DEPLOYMENT, CLAIM, SCALER = BY_KIND["Deployment"], BY_KIND["PersistentVolumeClaim"], BY_KIND["HorizontalPodAutoscaler"]
STORAGE_CLASS = Resource("StorageClass", "storage.k8s.io/v1", "storageclasses", is_namespaced=False)


def test_applying_again_leaves_every_resource_version(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system, "seat", "event")
    runtime.apply(system, objects, SECRETS)
    before = cluster.versions(system.namespace)

    runtime.apply(system, copy.deepcopy(objects), SECRETS)

    assert cluster.versions(system.namespace) == before
    assert {"Deployment/seat", "Secret/seat-secrets", "HTTPRoute/booking", "ConfigMap/clove-inventory"} <= before.keys()


def test_what_falls_out_is_pruned_and_volumes_are_kept(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system, "seat", "merch"), {**SECRETS, "merch-secrets": {"key": "text"}})

    runtime.apply(system, system_objects(system, "seat"), SECRETS)

    assert cluster.names(DEPLOYMENT, system.namespace) == {"seat"}
    assert cluster.names(BY_KIND["Service"], system.namespace) == {"seat"}
    assert cluster.names(SECRET, system.namespace) == {"seat-secrets"}
    assert cluster.names(BY_KIND["PersistentVolumeClaim"], system.namespace) == {"seat-data", "merch-data"}


def test_another_ones_objects_in_the_namespace_are_left_alone(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}
    cluster.create(f"/api/v1/namespaces/{system.namespace}/configmaps", theirs)

    runtime.apply(system, system_objects(system, replicas=2), SECRETS)

    assert "theirs" in cluster.names(BY_KIND["ConfigMap"], system.namespace)


def with_extra(system: SystemRef) -> list[dict[str, Any]]:
    """Objects of a system among which there is one that somebody else has made already; see `made_by`."""
    metadata = {"name": "extra", "namespace": system.namespace, "labels": labels(system)}
    return [*system_objects(system), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"OURS": "1"}}]


def made_by(cluster: Cluster, system: SystemRef, manager: str, **metadata: Any) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra", **metadata}, "data": {"THEIRS": "1"}}
    cluster.create(CONFIG_MAP.collection(system.namespace), item, manager=manager)


@pytest.mark.parametrize("has_labels", [False, True])
def test_somebody_elses_object_is_refused_by_name_before_anything_is_applied(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, has_labels: bool
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    made_by(cluster, system, "helm", labels=labels(system) if has_labels else {})
    before = cluster.versions(system.namespace)
    more = [*system_objects(system, replicas=2), with_extra(system)[-1]]

    for method in ("preview", "apply"):
        with pytest.raises(OwnedByAnother, match=r"ConfigMap extra belongs to helm\.") as refusal:
            _call(runtime, method, system, more)
        assert refusal.value.owner == "helm"

    assert cluster.versions(system.namespace) == before
    runtime.apply(system, objects, SECRETS)
    assert cluster.versions(system.namespace) == before


def test_what_was_begun_under_the_name_of_somebody_elses_object_is_never_removed(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = scaled_objects(system)[:-1]
    runtime.apply(system, objects, SECRETS)
    begun = inventory.read(cluster.api, system).beginning(inventory.keys_of([*with_extra(system), *scaled_objects(system)]))
    inventory.write(cluster.api, system, begun)
    made_by(cluster, system, "helm")
    scaler = copy.deepcopy(scaled_objects(system)[-1])
    del scaler["metadata"]["labels"]
    cluster.create(SCALER.collection(system.namespace), scaler, manager="helm")

    assert runtime.preview(system, objects) == []
    runtime.apply(system, system_objects(system, replicas=2), SECRETS)

    assert "extra" in cluster.names(CONFIG_MAP, system.namespace)
    assert cluster.names(SCALER, system.namespace) == {"seat"}


def test_what_was_made_by_an_apply_that_died_before_it_noted_it_is_removed(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    begun = inventory.read(cluster.api, system).beginning(inventory.keys_of(with_extra(system)))
    inventory.write(cluster.api, system, begun)
    cluster.api.apply(with_extra(system)[-1], CONFIG_MAP)

    (gone,) = runtime.preview(system, system_objects(system))
    runtime.apply(system, system_objects(system), SECRETS)

    assert (gone.kind, gone.name) == (ChangeKind.DELETE, "extra")
    assert "extra" not in cluster.names(CONFIG_MAP, system.namespace)


def test_what_a_hand_put_in_the_place_of_an_object_of_ours_is_put_right(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    objects = with_extra(system)
    runtime.apply(system, objects, SECRETS)
    cluster.delete(CONFIG_MAP.path("extra", system.namespace))
    made_by(cluster, system, "kubectl-create")
    assert runtime.observe(system).drift

    runtime.apply(system, objects, SECRETS)

    assert (cluster.api.get(CONFIG_MAP, "extra", system.namespace) or {})["metadata"]["labels"] == labels(system)
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


def test_a_controller_that_took_a_field_is_named_and_not_fought(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.patch(DEPLOYMENT.path("seat", system.namespace), {"spec": {"replicas": 3}}, manager="their-autoscaler")

    with pytest.raises(OwnedByAnother) as refusal:
        runtime.apply(system, objects, SECRETS)

    assert refusal.value.owner == "their-autoscaler"
    assert "spec.replicas" in refusal.value.reason
    assert replicas(cluster, system) == 3


def test_a_manager_that_the_settings_name_is_a_hand(server: ApiServer, cluster: Cluster, system: SystemRef) -> None:
    runtime = KubernetesRuntime(api_of(server.admin, hands=Hands(("oc*", "their-script"))), RoutingChoice(Routing.GATEWAY), fresh_s=0.0)
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.patch(DEPLOYMENT.path("seat", system.namespace), {"spec": {"replicas": 3}}, manager="their-script")
    cluster.patch(CONFIG_MAP.path("booking", system.namespace), {"data": {"EXTRA": "1"}}, manager="oc-edit")
    assert runtime.observe(system).drift == "ConfigMap booking was changed by oc-edit. Deployment seat was changed by their-script."

    runtime.apply(system, objects, SECRETS)

    assert replicas(cluster, system) == 1
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


def test_what_somebody_changed_by_hand_is_seen_named_and_put_right(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.patch(DEPLOYMENT.path("seat", system.namespace), {"spec": {"replicas": 0}}, manager="kubectl-scale")
    cluster.patch(BY_KIND["ConfigMap"].path("booking", system.namespace), {"data": {"LANGUAGE": "en"}}, manager="kubectl-edit")

    seen = runtime.observe(system)
    changes = {(change.object_kind, change.name) for change in runtime.preview(system, objects)}
    runtime.apply(system, objects, SECRETS)

    assert seen.fingerprint == ""
    assert changes == {("Deployment", "seat"), ("ConfigMap", "booking")}
    assert replicas(cluster, system) == 1
    assert cluster.api.get(BY_KIND["ConfigMap"], "booking", system.namespace)["data"] == {"LANGUAGE": "ko"}
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


@pytest.mark.parametrize(("kind", "name"), [("Service", "seat"), ("Secret", "seat-secrets"), ("NetworkPolicy", "deny")])
def test_what_somebody_deleted_is_seen_and_made_again(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, kind: str, name: str
) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.delete(BY_KIND[kind].path(name, system.namespace))

    assert runtime.observe(system).fingerprint == ""
    runtime.apply(system, objects, SECRETS)

    assert name in cluster.names(BY_KIND[kind], system.namespace)
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


def test_a_note_that_somebody_adds_is_no_drift(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    objects = system_objects(system)
    runtime.apply(system, objects, SECRETS)
    cluster.patch(DEPLOYMENT.path("seat", system.namespace), {"metadata": {"annotations": {"their/note": "x"}}}, manager="kubectl-annotate")

    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


class _Dies(Api):
    """A worker that is killed in mid-apply: nothing of it goes on after so many changes."""

    def __init__(self, api: Api, changes: int) -> None:
        super().__init__(api._configure)
        self.left = changes

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        is_trial = "dryRun" in (arguments[1] if len(arguments) > 1 else {})
        if method in ("PATCH", "DELETE") and not is_trial:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
        return super()._call(method, *arguments, **named)


@pytest.mark.parametrize("changes", range(13))
def test_an_apply_that_dies_is_seen_as_unfinished_and_the_next_one_leaves_nothing_behind(
    cluster: Cluster, system: SystemRef, changes: int
) -> None:
    runtime = KubernetesRuntime(cluster.api)
    first, second, third = system_objects(system, "seat"), system_objects(system, "merch"), system_objects(system, "event")
    runtime.apply(system, first, SECRETS)

    with pytest.raises(KeyboardInterrupt):
        KubernetesRuntime(_Dies(cluster.api, changes)).apply(system, second, SECRETS)

    seen = runtime.observe(system)
    assert seen.fingerprint == (fingerprint(first, SECRETS) if changes <= 1 else "")
    runtime.apply(system, third, SECRETS)
    assert cluster.names(DEPLOYMENT, system.namespace) == {"event"}
    assert cluster.names(BY_KIND["Service"], system.namespace) == {"event"}
    assert runtime.observe(system).fingerprint == fingerprint(third, SECRETS)


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_a_field_that_kubernetes_does_not_know_is_refused_for_good(runtime: KubernetesRuntime, system: SystemRef, method: str) -> None:
    objects = system_objects(system)
    find(objects, "Deployment", "seat")["spec"]["teleport"] = True

    with pytest.raises(Rejected, match="teleport") as refusal:
        _call(runtime, method, system, objects)

    assert refusal.value.object_name == "Deployment seat"


@pytest.mark.parametrize("method", ["preview", "apply"])
def test_an_immutable_field_is_refused_and_the_live_object_untouched(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, method: str
) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    changed = system_objects(system, replicas=5)
    spec = find(changed, "Deployment", "seat")["spec"]
    spec["selector"]["matchLabels"]["tier"] = spec["template"]["metadata"]["labels"]["tier"] = "x"

    with pytest.raises(Rejected, match="immutable"):
        _call(runtime, method, system, changed)

    assert replicas(cluster, system) == 1


def test_a_preview_finds_pods_that_pod_security_would_refuse(runtime: KubernetesRuntime, system: SystemRef) -> None:
    objects = system_objects(system)
    container = find(objects, "Deployment", "seat")["spec"]["template"]["spec"]["containers"][0]
    container["securityContext"] = {"privileged": True}

    with pytest.raises(Rejected, match="privileged"):
        runtime.preview(system, objects)

    assert runtime.observe(system).health is Health.ABSENT


def test_a_preview_persists_nothing_of_the_system(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    runtime.preview(system, system_objects(system))
    before = cluster.versions(system.namespace) | cluster.versions("clove-preview")

    changes = runtime.preview(system, system_objects(system, "event", replicas=2))

    assert {change.kind for change in changes} == {ChangeKind.CREATE, ChangeKind.DELETE, ChangeKind.UPDATE}
    assert cluster.versions(system.namespace) | cluster.versions("clove-preview") == before


def test_a_namespace_that_was_there_before_is_refused_and_untouched(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    before = cluster.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": system.namespace}})

    for method in ("preview", "apply"):
        with pytest.raises(OwnedByAnother):
            _call(runtime, method, system, system_objects(system))
    with pytest.raises(OwnedByAnother):
        runtime.delete(system)

    after = cluster.api.get(BY_KIND["Namespace"], system.namespace)
    assert after is not None
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert runtime.observe(system).health is Health.ABSENT


def test_replicas_that_are_handed_over_stay_as_they_are(runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef) -> None:
    runtime.apply(system, system_objects(system, replicas=3), SECRETS)
    handed = system_objects(system)
    del find(handed, "Deployment", "seat")["spec"]["replicas"]

    runtime.apply(system, handed, SECRETS)
    assert replicas(cluster, system) == 3

    scale = f"{DEPLOYMENT.path('seat', system.namespace)}/scale"
    cluster.patch(scale, {"spec": {"replicas": 7}}, manager="kube-controller-manager")
    runtime.apply(system, handed, SECRETS)
    assert replicas(cluster, system) == 7
    assert runtime.observe(system).fingerprint == fingerprint(handed, SECRETS)


def test_a_secrets_value_is_in_no_error(runtime: KubernetesRuntime, system: SystemRef) -> None:
    with pytest.raises(Rejected) as refusal:
        runtime.apply(system, system_objects(system), {"seat-secrets": {"not a file name": "s3cret-value"}})

    assert refusal.value.object_name == "Secret seat-secrets"
    assert "s3cret" not in refusal.value.reason
    assert "czNjcmV0" not in refusal.value.reason


def test_credentials_that_expired_are_told(server: ApiServer, system: SystemRef) -> None:
    with pytest.raises(Forbidden, match="credentials"):
        KubernetesRuntime(api_of(server.stranger)).observe(system)


def test_a_verb_that_is_forbidden_is_told(server: ApiServer, cluster: Cluster, system: SystemRef) -> None:
    with pytest.raises(Forbidden, match="cannot get"):
        KubernetesRuntime(api_of(server.nobody)).apply(system, system_objects(system), SECRETS)


def test_no_cluster_is_a_passing_failure(server: ApiServer, system: SystemRef, tmp_path: Path) -> None:
    away = tmp_path / "away.yaml"
    away.write_text(server.admin.read_text().replace(server.url, "https://127.0.0.1:1"))

    with pytest.raises(RuntimeUnavailable) as failure:
        KubernetesRuntime(api_of(away)).observe(system)

    assert failure.value.is_passing


def replicas(cluster: Cluster, system: SystemRef) -> int:
    found = cluster.api.get(DEPLOYMENT, "seat", system.namespace)
    assert found is not None
    return found["spec"]["replicas"]


def _call(runtime: KubernetesRuntime, method: str, system: SystemRef, objects: list[dict[str, Any]]) -> None:
    arguments = (system, objects) if method == "preview" else (system, objects, SECRETS)
    getattr(runtime, method)(*arguments)


def replicas_of(cluster: Cluster, system: SystemRef) -> int:
    found = cluster.api.get(DEPLOYMENT, "seat", system.namespace)
    assert found
    count: int = found["spec"]["replicas"]
    return count


def test_an_autoscaler_takes_the_replicas_over_without_a_dip_and_gives_them_back(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    fixed, scaled = system_objects(system, replicas=3), scaled_objects(system)
    runtime.apply(system, fixed, SECRETS)
    over = runtime.preview(system, scaled)
    assert [(change.kind, change.object_kind) for change in over] == [(ChangeKind.CREATE, "HorizontalPodAutoscaler")]
    runtime.apply(system, scaled, SECRETS)
    assert replicas_of(cluster, system) == 3
    # As the autoscaler's controller does, by the scale subresource.
    cluster.patch(f"{DEPLOYMENT.path('seat', system.namespace)}/scale", {"spec": {"replicas": 6}}, manager="kube-controller-manager")
    runtime.apply(system, scaled, SECRETS)
    assert replicas_of(cluster, system) == 6
    assert runtime.preview(system, scaled) == []

    back = runtime.preview(system, fixed)
    assert {(change.kind, change.object_kind) for change in back} == {
        (ChangeKind.UPDATE, "Deployment"),
        (ChangeKind.DELETE, "HorizontalPodAutoscaler"),
    }
    runtime.apply(system, fixed, SECRETS)

    assert replicas_of(cluster, system) == 3
    assert cluster.names(BY_KIND["HorizontalPodAutoscaler"], system.namespace) == set()
    before = cluster.versions(system.namespace)
    runtime.apply(system, fixed, SECRETS)
    assert cluster.versions(system.namespace) == before


def test_what_rested_is_woken_for_its_autoscaler_which_would_leave_none_alone(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    scaled, resting = scaled_objects(system), system_objects(system, replicas=0)
    runtime.apply(system, scaled, SECRETS)
    cluster.patch(f"{DEPLOYMENT.path('seat', system.namespace)}/scale", {"spec": {"replicas": 4}}, manager="kube-controller-manager")
    runtime.apply(system, resting, SECRETS)
    assert replicas_of(cluster, system) == 0

    (field,) = next(change.fields for change in runtime.preview(system, scaled) if change.object_kind == "Deployment")
    runtime.apply(system, scaled, SECRETS)

    assert (field.path, field.before, field.after) == ("spec.replicas", 0, 1)
    assert replicas_of(cluster, system) == 1


@pytest.mark.parametrize("by", ["an update that came to nothing", "somebody whose volume was full"])
def test_a_volume_that_grew_stays_and_what_came_before_it_can_come_back(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef, by: str
) -> None:
    growing = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "grows"}, "provisioner": "example.org/none"}
    cluster.api.apply({**growing, "allowVolumeExpansion": True}, STORAGE_CLASS)
    objects = system_objects(system)
    find(objects, "PersistentVolumeClaim", "seat-data")["spec"]["storageClassName"] = "grows"
    larger = copy.deepcopy(objects)
    find(larger, "PersistentVolumeClaim", "seat-data")["spec"]["resources"]["requests"]["storage"] = "2Gi"
    path = CLAIM.path("seat-data", system.namespace)
    runtime.apply(system, objects, SECRETS)
    cluster.play(path, {"phase": "Bound", "capacity": {"storage": "1Gi"}})
    if by == "an update that came to nothing":
        runtime.apply(system, larger, SECRETS)
    else:
        cluster.patch(path, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}, manager="kubectl-edit")
    cluster.play(path, {"phase": "Bound", "capacity": {"storage": "2Gi"}})

    assert runtime.preview(system, objects) == []
    runtime.apply(system, objects, SECRETS)

    found = cluster.api.get(CLAIM, "seat-data", system.namespace)
    assert found
    assert found["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert runtime.observe(system).fingerprint == fingerprint(objects, SECRETS)


def test_a_token_that_expired_is_told_and_a_kubeconfig_that_is_renewed_is_read(
    server: ApiServer, cluster: Cluster, system: SystemRef, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(server.stranger.read_text())
    runtime = KubernetesRuntime(api_of(path))
    with pytest.raises(Forbidden, match="wrong or have expired"):
        runtime.apply(system, system_objects(system), SECRETS)

    path.write_text(server.admin.read_text())
    runtime.apply(system, system_objects(system), SECRETS)

    assert cluster.names(DEPLOYMENT, system.namespace) == {"seat"}


def test_another_clove_on_the_cluster_keeps_its_namespace_whatever_its_number(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    theirs, ours = (replace(system, platform=platform) for platform in ("0123456789abcdef", "fedcba9876543210"))
    runtime.apply(theirs, system_objects(system), SECRETS)
    before = cluster.versions(system.namespace)

    for attempt in (
        lambda: runtime.apply(ours, system_objects(system, replicas=3), SECRETS),
        lambda: runtime.preview(ours, system_objects(system)),
        lambda: runtime.delete(ours),
    ):
        with pytest.raises(OwnedByAnother, match="another Clove on this cluster"):
            attempt()
    assert runtime.observe(ours).health is Health.ABSENT
    assert cluster.versions(system.namespace) == before
    assert runtime.preview(theirs, system_objects(system)) == []


def test_what_was_applied_before_platforms_were_told_apart_is_taken_over(
    runtime: KubernetesRuntime, cluster: Cluster, system: SystemRef
) -> None:
    runtime.apply(system, system_objects(system), SECRETS)
    ours = replace(system, platform="fedcba9876543210")
    assert runtime.observe(ours).fingerprint == fingerprint(system_objects(system), SECRETS)

    runtime.apply(ours, system_objects(system), SECRETS)

    assert runtime.observe(ours).fingerprint == fingerprint(system_objects(system), SECRETS)
    assert runtime.observe(replace(system, platform="0123456789abcdef")).health is Health.ABSENT

"""What an apply would change, asked of the API server itself by dry runs: defaults, admission and ownership included.

A namespace that is not there yet answers 404 to everything in it, and a Deployment that Pod Security will not let run is accepted with
a warning. So new systems, and the pods of all, are tried in a namespace kept for that, in which nothing is ever persisted but an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.lib import together
from controlplane.runtime.diff import field_changes
from controlplane.runtime.errors import RuntimeBusy
from controlplane.runtime.kubernetes import additions, bundle, foreign, handover, inventory, standing
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.applying import KEPT, apply_fairly
from controlplane.runtime.kubernetes.extensions import check_extensions
from controlplane.runtime.kubernetes.inventory import Inventory
from controlplane.runtime.kubernetes.notes import said
from controlplane.runtime.kubernetes.ownership import check_ours
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, POD, resource_of
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL, key_of
from controlplane.runtime.port import Change, ChangeKind, Objects, SystemRef, Takes

TRIAL_NAMESPACE = "clove-preview"
_ACCOUNT = "preview"
_WITH_PODS = ("Deployment", "StatefulSet", "Job", "CronJob")


def preview(api: Api, system: SystemRef, objects: Objects, *, takes: Takes = ()) -> list[Change]:
    """The changes in the order of OBJECTS, then what would be pruned. Raises what `apply` would raise, as far as a dry run can tell."""
    bundle.check(system, objects)
    check_extensions(api, objects)
    namespace = api.get(NAMESPACE, system.namespace)
    if namespace is not None:
        check_ours(namespace, system)
        if namespace["metadata"].get("deletionTimestamp"):
            raise RuntimeBusy(f"Namespace {system.namespace} is still being deleted.", object_name=f"Namespace {system.namespace}")
    _make_trial_namespace(api)
    applied, keys = inventory.read(api, system) if namespace else Inventory(), inventory.keys_of(objects)

    def change_of(item: Mapping[str, Any]) -> Change | None:
        _try_pod(api, item)
        is_forced = handover.is_taken_back(item, applied, keys)
        return _in_trial(api, item) if namespace is None else _in_place(api, system, item, applied, is_forced=is_forced, takes=takes)

    changes = [change for change in together.each(change_of, objects) if change]
    return changes + (_pruned(api, system, objects, applied) if namespace else [])


def _in_place(api: Api, system: SystemRef, item: Mapping[str, Any], applied: Inventory, *, is_forced: bool, takes: Takes) -> Change | None:
    resource, name = resource_of(item), item["metadata"]["name"]
    before = api.get(resource, name, system.namespace)
    if before is not None:
        foreign.check(system, [key_of(item)], {(resource.kind, name): before}, applied, api.hands, takes)
    item = standing.fitted(item, before)
    after = api.apply(item, resource, dry_run=True, force=True) if is_forced else apply_fairly(api, item, dry_run=True, takes=takes)
    warning = " ".join(after.warnings)
    if before is None:
        return Change(ChangeKind.CREATE, resource.kind, name, warning=warning)
    found = said(additions.without_additions(api, resource, after.item))
    if handover.is_to_keep(item, before):
        # A dry run of dropping the number shows the server's own, 1, in its place.
        found["spec"] = {**found["spec"], "replicas": before["spec"]["replicas"]}
    fields = tuple(field_changes(said(before), found))
    return Change(ChangeKind.UPDATE, resource.kind, name, fields, warning) if fields else None


def _in_trial(api: Api, item: Mapping[str, Any]) -> Change:
    resource, name = resource_of(item), item["metadata"]["name"]
    tried = item if resource is NAMESPACE else _moved(item)
    after = apply_fairly(api, tried, dry_run=True)
    return Change(ChangeKind.CREATE, resource.kind, name, warning=" ".join(after.warnings))


def _pruned(api: Api, system: SystemRef, objects: Objects, applied: Inventory) -> list[Change]:
    keys = set(inventory.keys_of(objects))
    # Secrets are not among the objects, so their absence says nothing.
    stay = (KEPT, "Namespace", "Secret")
    return [
        Change(ChangeKind.DELETE, key.kind, key.name)
        for key, entry in applied.entries.items()
        if key not in keys and key.kind in BY_KIND and key.kind not in stay and foreign.uid_to_remove(api, system, key, entry)
    ]


def _try_pod(api: Api, item: Mapping[str, Any]) -> None:
    """Let Pod Security and the other admission of pods judge the template of ITEM now rather than after it has been applied."""
    if item["kind"] not in _WITH_PODS:
        return
    spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
    template = spec["template"]
    metadata = {**(template.get("metadata") or {}), "name": item["metadata"]["name"], "namespace": TRIAL_NAMESPACE}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**template["spec"], "serviceAccountName": _ACCOUNT}}
    api.try_create(pod, POD, TRIAL_NAMESPACE)


def _moved(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "namespace": TRIAL_NAMESPACE}}


def _make_trial_namespace(api: Api) -> None:
    labels = {MANAGED_LABEL: MANAGED_BY, "app.kubernetes.io/component": "preview"}
    if api.get(BY_KIND["ServiceAccount"], _ACCOUNT, TRIAL_NAMESPACE) is not None:
        return
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    for item in (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TRIAL_NAMESPACE, "labels": labels | levels}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": _ACCOUNT, "namespace": TRIAL_NAMESPACE, "labels": labels},
            "automountServiceAccountToken": False,
        },
    ):
        api.apply(item, resource_of(item))

"""Calls of the port whose answers are recorded on a real API server, for the fake to give the same ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.port import Change, Objects, Observation, Runtime, SystemRef, Takes
from tests.runtime_contract.recording import outcome
from tests.runtime_contract.systems import IMAGE, SECRETS, labels, ref, scaled_objects, system_objects, with_env

CONFINED = {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
NO_FIGURES = (
    "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to "
    "fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
)
"""What the controller writes where there is no metrics server."""
ROLLOUT = ("unseen", "starting", "ready", "replica lost", "image missing", "crashed once", "crashing")
"""What a Deployment goes through, in this order."""


class Stage(Protocol):
    """A runtime, and what others do to its systems meanwhile."""

    @property
    def runtime(self) -> Runtime: ...

    def changed(self, system: SystemRef, kind: str, name: str, path: str, value: Any, *, manager: str) -> None:
        """MANAGER sets the field at PATH (`spec.replicas`) of an object."""

    def made(self, system: SystemRef, item: dict[str, Any], *, manager: str) -> None:
        """MANAGER makes an object of its own in the system's namespace."""

    def is_there(self, system: SystemRef, kind: str, name: str) -> bool:
        """There is such an object in the system's namespace, whosever it is."""

    def removed(self, system: SystemRef, kind: str, name: str) -> None:
        """Somebody deletes an object."""

    def delete_slowly(self, system: SystemRef, *, blocked_by: str) -> None:
        """Delete the system, whose namespace then says BLOCKED_BY for a while."""

    def rollout(self, system: SystemRef, state: str) -> None:
        """The controllers bring the Deployment seat of SYSTEM into STATE, one of ROLLOUT."""

    def autoscaler_says(self, system: SystemRef, name: str, *conditions: dict[str, Any]) -> None:
        """The controller of autoscalers writes CONDITIONS on NAME."""


def look(stage: Stage, system: SystemRef, objects: Objects = ()) -> dict[str, Any]:
    """What is seen of SYSTEM; with OBJECTS also whether it is as they say."""
    seen: Observation = stage.runtime.observe(system)
    told: dict[str, Any] = {"health": seen.health.value, "reason": seen.reason, "message": seen.message}
    if objects:
        told["is_as_applied"] = seen.fingerprint == fingerprint(objects, SECRETS)
    told["has_fingerprint"] = bool(seen.fingerprint)
    if seen.drift:
        told["drift"] = seen.drift
    keys = ("name", "kind", "wanted", "ready", "updated", "reason", "message", "restarts")
    told["workloads"] = [{"health": workload.health.value, **{key: getattr(workload, key) for key in keys}} for workload in seen.workloads]
    return told


def changes(stage: Stage, system: SystemRef, objects: Objects, takes: Takes = ()) -> Any:
    """What a preview of OBJECTS tells."""

    def shown(change: Change) -> dict[str, Any]:
        # The server gives the fields of a map back in an order of its own.
        fields = sorted(([field.path, field.before, field.after] for field in change.fields), key=lambda field: field[0])
        return {"kind": change.kind.value, "object": f"{change.object_kind} {change.name}", "fields": fields, "warning": change.warning}

    def told() -> list[dict[str, Any]]:
        found = [shown(change) for change in stage.runtime.preview(system, objects, takes=takes)]
        # What is made and changed comes in the order of OBJECTS, then what goes, in any order.
        gone = [change for change in found if change["kind"] == "delete"]
        assert found[len(found) - len(gone) :] == gone
        return found[: len(found) - len(gone)] + sorted(gone, key=lambda change: change["object"])

    return outcome(told)


def applied(stage: Stage, system: SystemRef, objects: Objects, takes: Takes = ()) -> Any:
    return outcome(lambda: stage.runtime.apply(system, objects, SECRETS, takes=takes))


def nothing_there(stage: Stage) -> Any:
    system = ref(7201)
    return {
        "look": look(stage, system),
        "delete": outcome(lambda: stage.runtime.delete(system)),
        "endpoint": outcome(lambda: stage.runtime.endpoint(system)),
        "logs": outcome(lambda: stage.runtime.logs(system, "seat", 5)),
    }


def a_preview_of_a_new_system(stage: Stage) -> Any:
    system = ref(7202)
    return {"changes": changes(stage, system, system_objects(system)), "afterwards": look(stage, system)}


def applied_twice(stage: Stage) -> Any:
    system = ref(7203)
    objects = system_objects(system)
    first = applied(stage, system, objects)
    between = look(stage, system, objects)
    preview = changes(stage, system, objects)
    return {"first": first, "between": between, "preview": preview, "second": applied(stage, system, copy.deepcopy(objects))}


def a_preview_of_an_update(stage: Stage) -> Any:
    system = ref(7204)
    objects = system_objects(system, "seat", "event")
    stage.runtime.apply(system, objects, SECRETS)
    newer = with_env(system_objects(system, "seat", replicas=2), "seat", VERSION="2")
    return {"changes": changes(stage, system, newer), "afterwards": look(stage, system, objects)["is_as_applied"]}


def an_update_prunes(stage: Stage) -> Any:
    system = ref(7205)
    stage.runtime.apply(system, system_objects(system, "seat", "event"), SECRETS)
    fewer = system_objects(system, "seat")
    return {"apply": applied(stage, system, fewer), "look": look(stage, system, fewer), "preview": changes(stage, system, fewer)}


def an_unknown_field(stage: Stage) -> Any:
    return _refused(stage, ref(7206), lambda spec: spec.update(teleport=True))


def an_invalid_value(stage: Stage) -> Any:
    return _refused(stage, ref(7207), lambda spec: spec.update(replicas=-1))


def an_immutable_field(stage: Stage) -> Any:
    system = ref(7208)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    changed = copy.deepcopy(objects)
    seat = next(item for item in changed if item["kind"] == "Deployment")
    seat["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": "seat"}
    refused = {"preview": changes(stage, system, changed), "apply": applied(stage, system, changed)}
    unfinished = look(stage, system, objects)["has_fingerprint"]
    return {**refused, "has_fingerprint": unfinished, "back": applied(stage, system, objects), "then": look(stage, system, objects)}


def a_field_that_a_controller_took(stage: Stage) -> Any:
    system = ref(7209)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    stage.changed(system, "Deployment", "seat", "spec.replicas", 3, manager="their-autoscaler")
    told = {"look": look(stage, system, objects), "preview": changes(stage, system, objects), "apply": applied(stage, system, objects)}
    agreed = system_objects(system, replicas=3)
    return {**told, "agreed": applied(stage, system, agreed), "preview_of_what_is_agreed": changes(stage, system, agreed)}


def a_field_that_somebody_changed_by_hand(stage: Stage) -> Any:
    system = ref(7210)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    stage.changed(system, "Deployment", "seat", "spec.replicas", 2, manager="kubectl-scale")
    told = {"look": look(stage, system, objects), "preview": changes(stage, system, objects), "apply": applied(stage, system, objects)}
    return {**told, "then": look(stage, system, objects)}


def fields_that_a_hand_and_a_controller_took(stage: Stage) -> Any:
    """It is the hand's conflict: the system is not stuck, and a controller that insists is alone in the next one."""
    system = ref(7250)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    stage.changed(system, "Deployment", "seat", "spec.template.spec.terminationGracePeriodSeconds", 11, manager="kubectl-edit")
    stage.changed(system, "Deployment", "seat", "spec.replicas", 3, manager="kube-controller-manager")
    told = {"preview": changes(stage, system, objects), "apply": applied(stage, system, objects), "look": look(stage, system, objects)}
    stage.changed(system, "Deployment", "seat", "spec.replicas", 3, manager="kube-controller-manager")
    return {**told, "when_it_insists": applied(stage, system, objects), "then": look(stage, system, objects)}


def what_another_tool_changed(stage: Stage) -> Any:
    """A browser, a dashboard, a script: each is a hand."""
    told = {}
    for number, manager in enumerate(("Mozilla", "node-fetch", "python-requests")):
        system = ref(7251 + number)
        objects = system_objects(system)
        stage.runtime.apply(system, objects, SECRETS)
        stage.changed(system, "Deployment", "seat", "spec.replicas", 3, manager=manager)
        told[manager] = {"look": look(stage, system, objects), "apply": applied(stage, system, objects)}
    return told


ADDITIONS: dict[str, tuple[str, str, str, Any]] = {
    "a_key": ("ConfigMap", "booking", "data.EXTRA", "1"),
    "where_pods_run": ("Deployment", "seat", "spec.template.spec.nodeSelector", {"disk": "ssd"}),
    "a_pods_label": ("Deployment", "seat", "spec.template.metadata.labels.team", "blue"),
    "a_label": ("Service", "seat", "metadata.labels.team", "blue"),
    "a_label_of_the_namespace": ("Namespace", "", "metadata.labels.team", "blue"),
}
NOTES: dict[str, tuple[str, str, Any]] = {
    "a_note": ("kubectl-annotate", "metadata.annotations.note", "x"),
    "a_restart": ("kubectl-rollout", "spec.template.metadata.annotations.restartedAt", "2027-01-10T04:00:00Z"),
    "a_controllers_label": ("their-controller", "metadata.labels.team", "blue"),
    "where_a_controller_lets_pods_run": ("their-controller", "spec.template.spec.nodeSelector", {"disk": "ssd"}),
}


def what_somebody_added_by_hand(stage: Stage) -> Any:
    """It is drift, a preview shows that it goes, and it does."""
    told = {}
    for number, (case, (kind, name, path, value)) in enumerate(ADDITIONS.items()):
        system = ref(7220 + number)
        objects = system_objects(system)
        stage.runtime.apply(system, objects, SECRETS)
        stage.changed(system, kind, name or system.namespace, path, value, manager="kubectl-edit")
        seen, preview = look(stage, system, objects), changes(stage, system, objects)
        again = {"apply": applied(stage, system, objects), "preview": changes(stage, system, objects), "look": look(stage, system, objects)}
        told[case] = {"look": seen, "preview": preview, "again": again}
    return told


def what_anybody_may_note(stage: Stage) -> Any:
    told = {}
    for number, (case, (manager, path, value)) in enumerate(NOTES.items()):
        system = ref(7230 + number)
        objects = system_objects(system)
        stage.runtime.apply(system, objects, SECRETS)
        stage.changed(system, "Deployment", "seat", path, value, manager=manager)
        told[case] = {"look": look(stage, system, objects), "preview": changes(stage, system, objects)}
    return told


def what_stands_beside_a_system(stage: Stage) -> Any:
    """It is told of, and neither put right nor removed."""
    system = ref(7240)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    pod = {"containers": [{"name": "dbg", "image": IMAGE, **CONFINED}], "automountServiceAccountToken": False}
    job = {"template": {"spec": {**pod, "restartPolicy": "Never"}}}
    marks = {"app": "dbg"}
    for version, kind, name, spec in (
        ("networking.k8s.io/v1", "NetworkPolicy", "allow-all", {"podSelector": {}, "ingress": [{}]}),
        ("apps/v1", "DaemonSet", "agent", {"selector": {"matchLabels": marks}, "template": {"metadata": {"labels": marks}, "spec": pod}}),
        ("batch/v1", "Job", "once", job),
        ("v1", "ConfigMap", "theirs", None),
    ):
        item: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": system.namespace}}
        stage.made(system, item | ({"spec": spec} if spec else {}), manager="kubectl-create")
    told = {"look": look(stage, system, objects), "preview": changes(stage, system, objects), "apply": applied(stage, system, objects)}
    return {**told, "is_there": stage.is_there(system, "NetworkPolicy", "allow-all"), "then": look(stage, system, objects)}


def what_is_taken_back(stage: Stage) -> Any:
    """From whom is named and of what is named, and from nobody else."""
    system = ref(7260)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    stage.changed(system, "Deployment", "seat", "spec.replicas", 3, manager="their-autoscaler")
    seat, extra = (("Deployment seat", "their-autoscaler"),), (("ConfigMap extra", "helm"),)
    other = (("Deployment seat", "another"), ("Deployment event", "their-autoscaler"))
    told = {"from_another": [changes(stage, system, objects, other), applied(stage, system, objects, other)]}
    told["from_them"] = [changes(stage, system, objects, seat), applied(stage, system, objects, seat), look(stage, system, objects)]
    metadata = {"name": "extra", "namespace": system.namespace}
    stage.made(system, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"OURS": "0"}}, manager="helm")
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "labels": labels(system)}, "data": {"OURS": "1"}}
    told["an_object"] = [applied(stage, system, [*objects, item], seat), applied(stage, system, [*objects, item], extra)]
    told["then"] = [look(stage, system, [*objects, item]), applied(stage, system, objects), stage.is_there(system, "ConfigMap", "extra")]
    return told


def an_object_that_somebody_deleted(stage: Stage) -> Any:
    system = ref(7211)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    stage.removed(system, "Service", "seat")
    told = {"look": look(stage, system, objects), "preview": changes(stage, system, objects), "apply": applied(stage, system, objects)}
    return {**told, "then": look(stage, system, objects)}


def an_object_that_is_somebody_elses(stage: Stage) -> Any:
    """It is refused before anything is applied, and stays when the system goes back to what it was."""
    system = ref(7219)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    metadata = {"name": "extra", "namespace": system.namespace}
    stage.made(system, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"THEIRS": "1"}}, manager="helm")
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "labels": labels(system)}, "data": {"OURS": "1"}}
    more = [*objects, extra]
    told = {"preview": changes(stage, system, more), "apply": applied(stage, system, more), "look": look(stage, system, objects)}
    back = {"back": applied(stage, system, objects), "is_there": stage.is_there(system, "ConfigMap", "extra")}
    stage.removed(system, "ConfigMap", "extra")
    return {**told, **back, "once_it_is_gone": applied(stage, system, more), "then": look(stage, system, more)}


def a_namespace_of_another_system(stage: Stage) -> Any:
    system = ref(7212)
    stage.runtime.apply(system, system_objects(system), SECRETS)
    other = SystemRef(7299, system.namespace, "seller-2")
    objects = system_objects(other)
    return {
        "look": look(stage, other),
        "preview": changes(stage, other, objects),
        "apply": applied(stage, other, objects),
        "delete": outcome(lambda: stage.runtime.delete(other)),
        "endpoint": outcome(lambda: stage.runtime.endpoint(other)),
    }


def a_namespace_that_ends_slowly(stage: Stage) -> Any:
    system = ref(7213)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    stage.delete_slowly(system, blocked_by="")
    return {
        "look": look(stage, system),
        "preview": changes(stage, system, objects),
        "apply": applied(stage, system, objects),
        "delete": outcome(lambda: stage.runtime.delete(system)),
    }


def a_namespace_that_something_keeps_from_ending(stage: Stage) -> Any:
    system = ref(7214)
    stage.runtime.apply(system, system_objects(system), SECRETS)
    why = "Some content in the namespace has finalizers remaining: example.org/hold in 1 resource instances"
    stage.delete_slowly(system, blocked_by=why)
    return look(stage, system)


def objects_that_are_refused_unasked(stage: Stage) -> Any:
    system = ref(7215)
    objects = system_objects(system)
    unlabelled = copy.deepcopy(objects)
    del unlabelled[1]["metadata"]["labels"]
    metadata = {"name": "seat-secrets", "namespace": system.namespace, "labels": objects[1]["metadata"]["labels"]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}}
    strange = {"apiVersion": "example.org/v1", "kind": "Teleporter", "metadata": {**metadata, "name": "one"}}
    bundles = {
        "without_the_namespace": objects[1:],
        "without_labels": unlabelled,
        "with_a_secret": [*objects, secret],
        "of_a_kind_that_nobody_knows": [*objects, strange],
        "twice": [*objects, objects[1]],
        "of_another_namespace": system_objects(ref(7298)),
    }
    told = {name: [changes(stage, system, bundle), applied(stage, system, bundle)] for name, bundle in bundles.items()}
    return {**told, "afterwards": look(stage, system)}


def a_rollout(stage: Stage) -> Any:
    system = ref(7216)
    objects = system_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    told = {}
    for state in ROLLOUT:
        stage.rollout(system, state)
        told[state] = look(stage, system, objects)
    return told


def an_autoscaler_that_does_nothing(stage: Stage) -> Any:
    """Told once it has lasted, in the health of its service and nowhere else."""
    system = ref(7223)
    objects = scaled_objects(system)
    stage.runtime.apply(system, objects, SECRETS)
    for state in ("starting", "ready"):
        stage.rollout(system, state)
    told = {"just made": _idle(stage, system)}
    now = datetime.now(UTC)
    for name, kind, status, reason, message, age_s in (
        ("measured", "ScalingActive", "True", "ValidMetricFound", "", 600),
        ("the first minute", "ScalingActive", "False", "FailedGetResourceMetric", NO_FIGURES, 30),
        ("no figures", "ScalingActive", "False", "FailedGetResourceMetric", NO_FIGURES, 600),
        ("not able", "AbleToScale", "False", "FailedGetScale", 'deployments.apps "seat" not found', 600),
        ("at rest", "ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero", 600),
    ):
        since = (now - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
        stage.autoscaler_says(system, "seat", condition)
        told[name] = _idle(stage, system)
    return told


def _idle(stage: Stage, system: SystemRef) -> Any:
    seen = stage.runtime.observe(system)
    return {
        "health": seen.health.value,
        "message": seen.message,
        "is_to_apply": not seen.fingerprint,
        "idle": [workload.idle_autoscaler for workload in seen.workloads],
    }


def events_begin_with_every_system(stage: Stage) -> Any:
    systems = {ref(7217), ref(7218)}
    for system in systems:
        stage.runtime.apply(system, system_objects(system), SECRETS)
    told, missing = [], set(systems)
    events = stage.runtime.events()
    while missing:
        event = next(events)
        if event and event in missing:
            missing.discard(event)
            told.append(event.namespace)
    return sorted(told)


def _refused(stage: Stage, system: SystemRef, spoil: Callable[[dict[str, Any]], None]) -> Any:
    """A new system whose Deployment SPOIL made one that is refused."""
    objects = system_objects(system)
    spoil(next(item for item in objects if item["kind"] == "Deployment")["spec"])
    preview = changes(stage, system, objects)
    before = look(stage, system)
    return {"preview": preview, "before": before, "apply": applied(stage, system, objects), "afterwards": look(stage, system)}


CASES: dict[str, Callable[[Stage], Any]] = {
    case.__name__: case
    for case in (
        nothing_there,
        a_preview_of_a_new_system,
        applied_twice,
        a_preview_of_an_update,
        an_update_prunes,
        an_unknown_field,
        an_invalid_value,
        an_immutable_field,
        a_field_that_a_controller_took,
        a_field_that_somebody_changed_by_hand,
        fields_that_a_hand_and_a_controller_took,
        what_another_tool_changed,
        what_somebody_added_by_hand,
        what_anybody_may_note,
        what_stands_beside_a_system,
        what_is_taken_back,
        an_object_that_somebody_deleted,
        an_object_that_is_somebody_elses,
        a_namespace_of_another_system,
        a_namespace_that_ends_slowly,
        a_namespace_that_something_keeps_from_ending,
        objects_that_are_refused_unasked,
        a_rollout,
        an_autoscaler_that_does_nothing,
        events_begin_with_every_system,
    )
}

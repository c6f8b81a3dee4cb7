"""What the fake does as an API server does it: refuse objects, and remember what others changed. For tests; pinned to recordings of a
real server by tests/runtime_contract."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.runtime.errors import OwnedByAnother, Rejected, Unsupported
from controlplane.runtime.fingerprint import canonical
from controlplane.runtime.managers import PLAIN, is_taken
from controlplane.runtime.objects import ObjectKey, key_of, label
from controlplane.runtime.port import Objects, Takes

KINDS = frozenset(
    {
        *("Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "ConfigMap", "Secret", "PersistentVolumeClaim", "Service"),
        *("Deployment", "StatefulSet", "Job", "CronJob", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler"),
        *("HTTPRoute", "Ingress"),
    }
)
KEPT = "PersistentVolumeClaim"
"""What is not pruned when it falls out."""
_DEPLOYMENT_FIELDS = frozenset(
    ("minReadySeconds", "paused", "progressDeadlineSeconds", "replicas", "revisionHistoryLimit", "selector", "strategy", "template")
)
_IMMUTABLE = {"Deployment": ("spec.selector",), "StatefulSet": ("spec.selector", "spec.serviceName"), "Job": ("spec.template",)}
_OWN = ("spec.", "data.", "binaryData.", "metadata.labels.")
_BESIDE = ("NetworkPolicy", "Deployment", "StatefulSet", "Job", "CronJob", "DaemonSet", "Pod")
_NOTHING = object()


@dataclass(frozen=True)
class Edit:
    """MANAGER set the field at PATH of an object that is applied."""

    manager: str
    path: str
    value: Any

    def drifts(self, applied: Mapping[str, Any]) -> bool:
        """It is to be put right: it changed what APPLIED says, or a hand added what is nobody's to add. Annotations are anybody's."""
        if _get(applied, self.path) is not _NOTHING:
            return True
        return PLAIN.have(self.manager) and self.path.startswith(_OWN) and ".annotations" not in self.path


@dataclass
class Store:
    """The objects of one namespace: as they were APPLIED, and what others did to them since."""

    applied: list[Any] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    edits: dict[ObjectKey, list[Edit]] = field(default_factory=dict)
    gone: set[ObjectKey] = field(default_factory=set)
    foreign: dict[ObjectKey, str] = field(default_factory=dict)
    """Objects of others in the namespace, and who made each."""

    def live(self) -> list[Any]:
        """The objects as they are now, without what others may note in them."""
        found = []
        for item in (*self.applied, *self.kept):
            if (key := key_of(item)) not in self.gone:
                changed = copy.deepcopy(item) if key in self.edits else item
                for edit in self._drifted(item):
                    _set(changed, edit.path, edit.value)
                found.append(changed)
        return found

    def replace(self, objects: Objects) -> None:
        """Apply OBJECTS, all of them."""
        keys = {key_of(item) for item in objects}
        self.kept = [item for item in (*self.applied, *self.kept) if item["kind"] == KEPT and key_of(item) not in keys]
        self.applied, self.edits, self.gone = copy.deepcopy(list(objects)), {}, set()
        self.foreign = {key: owner for key, owner in self.foreign.items() if key not in keys}

    def drift(self) -> str:
        """In words, what is not as it was applied."""
        said = [f"{key.kind} {key.name} is gone." for key in self.gone]
        for item in self.applied:
            if key_of(item) not in self.gone and (edits := self._drifted(item)):
                said.append(f"{label(item)} was changed by {edits[-1].manager}.")
        return " ".join(said)

    def beside(self) -> str:
        """In words, what is not Clove's and would not be removed by applying again."""
        names = [f"{kind} {key.name}" for kind in _BESIDE for key in sorted(self.foreign) if key.kind == kind]
        return f"Not Clove's: {', '.join(names)}." if names else ""

    def _drifted(self, item: Mapping[str, Any]) -> list[Edit]:
        return [edit for edit in self.edits.get(key_of(item), ()) if edit.drifts(item)]

    def check_free(self, objects: Objects, takes: Takes) -> None:
        """Raises OwnedByAnother when one of OBJECTS stands there already and is somebody else's, whom TAKES does not name."""
        for item in objects:
            if (owner := self.foreign.get(key_of(item))) and not is_taken(takes, label(item), [owner]):
                name = label(item)
                raise OwnedByAnother(f"{name} belongs to {owner}.", owner=owner, object_name=name)

    def admit(self, item: Mapping[str, Any], takes: Takes = ()) -> None:
        """Refuse ITEM as a server would. Raises Rejected, or OwnedByAnother for fields that controllers alone set to something else."""
        _check_fields(item)
        key = key_of(item)
        before = next((one for one in self.applied if key_of(one) == key and key not in self.gone), None)
        if before is not None:
            _check_immutable(before, item)
        taken = [edit for edit in self.edits.get(key, ()) if _get(item, edit.path) not in (_NOTHING, edit.value)]
        managers = [edit.manager for edit in taken]
        if taken and not any(map(PLAIN.have, managers)) and not is_taken(takes, label(item), managers):
            name, owner = label(item), ", ".join(dict.fromkeys(managers))
            paths = ", ".join(sorted({f".{edit.path}" for edit in taken}))
            raise OwnedByAnother(f"{name}: {paths} is managed by {owner}.", owner=owner, object_name=name)


def check_kinds(objects: Sequence[Mapping[str, Any]]) -> None:
    """Raises Unsupported for a kind that this runtime does not know."""
    for item in objects:
        if item.get("kind") not in KINDS:
            name, version = label(item), item.get("apiVersion")
            raise Unsupported(f"{name}: {version} {item.get('kind')} is not a kind that Clove applies.", object_name=name)


def _check_fields(item: Mapping[str, Any]) -> None:
    """Of Deployments alone: the kind that tests break."""
    if item["kind"] != "Deployment":
        return
    name, metadata = label(item), item["metadata"]
    where = f"{metadata.get('namespace')}/{metadata['name']}; apps/v1, Kind=Deployment"
    for unknown in item["spec"].keys() - _DEPLOYMENT_FIELDS:
        raise Rejected(
            f"{name}: failed to create typed patch object ({where}): .spec.{unknown}: field not declared in schema", object_name=name
        )
    if item["spec"].get("replicas", 1) < 0:
        raise _invalid(item, "spec.replicas", item["spec"]["replicas"], "must be greater than or equal to 0")


def _check_immutable(before: Mapping[str, Any], item: Mapping[str, Any]) -> None:
    for path in _IMMUTABLE.get(item["kind"], ()):
        value = _get(item, path)
        if _get(before, path) != value:
            raise _invalid(item, path, value, "field is immutable")


def _invalid(item: Mapping[str, Any], path: str, value: Any, why: str) -> Rejected:
    key, name = key_of(item), label(item)
    kind = f"{key.kind}.{key.group}" if key.group else key.kind
    return Rejected(f'{name}: {kind} "{key.name}" is invalid: {path}: Invalid value: {canonical(value).decode()}: {why}', object_name=name)


def _get(item: Mapping[str, Any], path: str) -> Any:
    found: Any = item
    for step in path.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return _NOTHING
        found = found[step]
    return found


def _set(item: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        item = item.setdefault(step, {})
    item[last] = value

"""Where a Deployment, StatefulSet or Job stands: its own status, read with its pods. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.runtime import holding
from controlplane.runtime.health import workload_health
from controlplane.runtime.holding import is_held
from controlplane.runtime.kubernetes.podstate import PodState, Trouble, parse_time
from controlplane.runtime.port import Health, Workload

REFUSED_GRACE_S = 15.0
QUOTA_GRACE_S = 90.0
"""Pods that are ending count against a quota: each for up to 30 s. What was refused is tried again after pauses that double, so it may take
as long again, and a little more, until it is."""
STATEFUL_DEADLINE_S = 180.0
"""A StatefulSet never says that it failed: one that is not ready this long after its newest pod was made has."""
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True)
class Seen:
    """A workload as it stands, and what troubles it (whose last lines the caller may look up)."""

    workload: Workload
    trouble: Trouble | None = None
    pod: str = ""


def deployment(item: Mapping[str, Any], replica_sets: Sequence[Mapping[str, Any]], pods: Sequence[PodState], now: datetime) -> Seen:
    """REPLICA_SETS and PODS are those of the namespace; the Deployment's own are picked from them."""
    spec, status = item["spec"], item.get("status") or {}
    own = [one for one in replica_sets if _is_owned(one, item)]
    newest = next((one for one in own if _revision(one) == _revision(item)), None)
    is_observed = status.get("observedGeneration", 0) >= item["metadata"].get("generation", 0)
    mine = _pods_of(own, pods)
    current = _pods_of([newest] if newest else [], pods) if is_observed else []
    progressing, refused = _condition(status, "Progressing"), _condition(status, "ReplicaFailure")
    trouble, pod = _worst(current)
    if refused.get("status") == "True" and not (trouble and trouble.is_final):
        trouble, pod = _refusal(refused, now, is_any_leaving=any(one.is_leaving for one in pods)), ""
    gave_up = progressing.get("reason") == "ProgressDeadlineExceeded"
    if gave_up and not (trouble and trouble.is_final):
        waited_s = spec.get("progressDeadlineSeconds", 600)
        message = f"Not ready after {waited_s} s. {trouble.message if trouble else ''}".strip()
        trouble = Trouble("ProgressDeadlineExceeded", message, True, is_mute=True)
    if is_held(item) and not (trouble and trouble.is_final):
        trouble, pod = Trouble(holding.REASON, holding.WORDS), ""
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0) if is_observed else 0
    health = workload_health(
        wanted=wanted,
        ready=status.get("readyReplicas", 0),
        updated=updated,
        # The ReplicaSet is counted first and the Deployment a moment later; what is said of both shall agree.
        ready_updated=min((newest or {}).get("status", {}).get("availableReplicas", 0), status.get("availableReplicas", 0))
        if is_observed
        else 0,
        old=status.get("replicas", 0) - updated,
        has_failed=bool(trouble and trouble.is_final),
        was_complete=is_observed and progressing.get("reason") == "NewReplicaSetAvailable",
    )
    return _seen(item, "Deployment", health, wanted, status.get("readyReplicas", 0), updated, mine, current, trouble, pod)


def stateful_set(item: Mapping[str, Any], pods: Sequence[PodState], now: datetime, created: Mapping[str, datetime]) -> Seen:
    """CREATED tells when each pod was made. Ready means: ready >= wanted, and the current revision is the update's (kstatus)."""
    spec, status = item["spec"], item.get("status") or {}
    mine = [pod for pod in pods if pod.owner_uid == item["metadata"]["uid"] and not pod.is_leaving]
    is_observed = status.get("observedGeneration", 0) >= item["metadata"].get("generation", 0)
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    is_one_revision = is_observed and status.get("currentRevision") == status.get("updateRevision")
    updated = (wanted if is_one_revision else status.get("updatedReplicas", 0)) if is_observed else 0
    updated = min(updated, status.get("replicas", 0))
    trouble, pod = _worst(mine)
    newest = max((created[one.name] for one in mine), default=parse_time(item["metadata"]["creationTimestamp"]))
    if trouble and not trouble.is_final and (now - newest).total_seconds() > STATEFUL_DEADLINE_S:
        trouble = Trouble("ProgressDeadlineExceeded", f"Not ready after {STATEFUL_DEADLINE_S:g} s. {trouble.message}", True, is_mute=True)
    health = workload_health(
        wanted=wanted,
        ready=ready,
        updated=updated,
        ready_updated=ready if is_one_revision else 0,
        old=max(0, status.get("replicas", 0) - updated),
        has_failed=bool(trouble and trouble.is_final),
        # It keeps no record of a rollout that ended well; a revision that became the current one has.
        was_complete=is_one_revision and status.get("replicas", 0) >= wanted and any(one.is_ready or one.restarts for one in mine),
    )
    return _seen(item, "StatefulSet", health, wanted, ready, updated, mine, mine, trouble, pod)


def job(item: Mapping[str, Any], pods: Sequence[PodState]) -> Seen:
    """Ready once it is Complete, failed once it is Failed.

    Complete comes up to three seconds after the work is done (seen with 1.36: the kubelet's and the controller's own rounds), so pods that
    ended well count already.
    """
    status = item.get("status") or {}
    mine = [pod for pod in pods if pod.owner_uid == item["metadata"]["uid"]]
    wanted, done = item["spec"].get("completions", 1), status.get("succeeded", 0)
    failed = _condition(status, "Failed")
    trouble, pod = _worst([one for one in mine if not one.is_leaving])
    health = Health.PROGRESSING
    done = max(done, sum(pod.is_done for pod in mine))
    if _condition(status, "Complete").get("status") == "True" or done >= wanted:
        health = Health.READY
    elif failed.get("status") == "True":
        health, trouble = Health.FAILED, trouble or Trouble(failed.get("reason", "Failed"), failed.get("message", ""), True)
    elif item["spec"].get("suspend"):
        health = Health.SUSPENDED
    return _seen(item, "Job", health, wanted, done, wanted, mine, mine, trouble, pod)


def _seen(
    item: Mapping[str, Any],
    kind: str,
    health: Health,
    wanted: int,
    ready: int,
    updated: int,
    pods: Sequence[PodState],
    current: Sequence[PodState],
    trouble: Trouble | None,
    pod: str,
) -> Seen:
    is_well = health in (Health.READY, Health.SUSPENDED)
    shown = None if is_well else trouble or Trouble("Rolling", "")
    workload = Workload(
        name=item["metadata"]["name"],
        kind=kind,
        health=health,
        wanted=wanted,
        ready=ready,
        updated=updated,
        reason=shown.reason if shown else "",
        message=shown.message if shown else "",
        image=item["spec"]["template"]["spec"]["containers"][0].get("image", ""),
        nodes=tuple(sorted({one.node for one in pods if one.node and not one.is_leaving})),
        restarts=sum(one.restarts for one in current),
    )
    return Seen(workload, None if is_well else trouble, pod)


def _worst(pods: Sequence[PodState]) -> tuple[Trouble | None, str]:
    """The trouble that matters most, and its pod: what is final, then what ended, then whatever."""
    troubled = [(pod.trouble, pod.name) for pod in pods if pod.trouble and not pod.is_leaving]
    troubled.sort(key=lambda pair: (not pair[0].is_final, not pair[0].crashed, pair[0].reason == "Starting"))
    return troubled[0] if troubled else (None, "")


def _refusal(condition: Mapping[str, Any], now: datetime, *, is_any_leaving: bool) -> Trouble:
    """IS_ANY_LEAVING: some pod of the namespace is, and makes room in its quota."""
    message = condition.get("message", "")
    refused_s = (now - parse_time(condition["lastTransitionTime"])).total_seconds()
    if "exceeded quota" in message:
        words = f"The quota has no room for it: {message.partition('exceeded quota:')[2].strip()}"
        return Trouble("QuotaFull", words, refused_s > QUOTA_GRACE_S and not is_any_leaving)
    is_final = refused_s > REFUSED_GRACE_S
    if "violates PodSecurity" in message:
        return Trouble("Refused", f"Pod Security refuses it: {message.partition('violates PodSecurity')[2].strip()}", True)
    return Trouble("Refused", f"The cluster refuses its pods: {message}", is_final)


def _pods_of(owners: Sequence[Mapping[str, Any]], pods: Sequence[PodState]) -> list[PodState]:
    uids = {owner["metadata"]["uid"] for owner in owners}
    return [pod for pod in pods if pod.owner_uid in uids]


def _is_owned(item: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in item["metadata"].get("ownerReferences") or ())


def _revision(item: Mapping[str, Any]) -> str:
    return (item["metadata"].get("annotations") or {}).get(REVISION, "")


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((condition for condition in status.get("conditions") or () if condition["type"] == kind), {})

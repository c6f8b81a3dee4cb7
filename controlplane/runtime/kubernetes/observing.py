"""How a system stands, in one look: its namespace, workloads with their pods, routes, and whether all is as it was applied."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from controlplane.runtime import autoscaling
from controlplane.runtime.health import system_health
from controlplane.runtime.kubernetes import backups, inventory, logs, routes, warnings, workloads
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.drift import Drift, drift
from controlplane.runtime.kubernetes.inventory import Inventory
from controlplane.runtime.kubernetes.ownership import is_labelled, is_ours, selector
from controlplane.runtime.kubernetes.podstate import parse_time, read_pod
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, POD, REPLICA_SET
from controlplane.runtime.kubernetes.terminating import what_blocks
from controlplane.runtime.kubernetes.volumes import CLAIM, claims, volumes_of
from controlplane.runtime.kubernetes.workloads import Seen
from controlplane.runtime.port import Health, Observation, SystemRef, Workload

LAST_WORDS = 5
"""Lines of a crashed container that are shown."""
SLOW_START_S = 8.0
"""Until then a probe that nobody answers is no news."""
FRESH_S = 10.0
"""So long after an apply, nothing but what has to start is looked at while it starts: the looks are many then, and each costs the machine
that the pods start on."""
_WORKLOADS = ("Deployment", "StatefulSet", "Job")


def observe(api: Api, system: SystemRef, *, routing: str, fresh_s: float = FRESH_S) -> Observation:
    """The state now. A namespace that was made for another system is not this one's, so this one is ABSENT.

    What was applied by another ROUTING than today's is to be applied again.
    """
    namespace = api.get(NAMESPACE, system.namespace)
    if namespace is None or not is_ours(namespace, system):
        return Observation(Health.ABSENT, volumes={})
    if namespace["metadata"].get("deletionTimestamp"):
        return Observation(Health.DELETING, reason="Deleting", message=what_blocks(namespace, now=api.now()), volumes={})
    applied = inventory.read(api, system)
    kinds = {key.kind for key in applied.entries}
    listed: dict[str, list[dict[str, Any]]] = {}

    def own(kind: str) -> list[dict[str, Any]]:
        # All there are in the namespace: what else there is is told of.
        listed[kind] = api.items(BY_KIND[kind], system.namespace)
        return [item for item in listed[kind] if is_labelled(item, system)]

    items = {kind: own(kind) for kind in _WORKLOADS if kind in kinds}
    found = tuple(replace(one, resize=applied.resizes.get(one.name)) for one in _workloads(api, system, items)) if items else ()
    health, reason, message = system_health(found)
    if health is Health.READY and routes.ROUTE in kinds:
        items[routes.ROUTE] = own(routes.ROUTE)
        health, reason, message = routes.trouble(items[routes.ROUTE], api.now()) or (health, reason, message)
    is_starting = health is Health.PROGRESSING and _age_s(applied, api.now()) < fresh_s
    if not is_starting:
        items[CLAIM.kind] = listed[CLAIM.kind] = claims(api, system)
        if backups.CRON_JOB.kind in kinds:
            items[backups.CRON_JOB.kind] = own(backups.CRON_JOB.kind)
        if autoscaling.KIND in kinds:
            idle = autoscaling.idle(own(autoscaling.KIND), api.now())
            found = tuple(replace(one, idle_autoscaler=idle.get(one.name, "")) for one in found)
    drifted = Drift() if is_starting else drift(api, system, applied, namespace, listed)
    if str(drifted) and not reason:
        reason, message = "Drifted", str(drifted)
    if not applied.entries or not (found or applied.fingerprint):
        # An apply died before it came to anything that runs.
        health, reason = Health.PROGRESSING, "Rolling"
    is_rerouted = applied.routing is not None and applied.routing != routing
    is_to_apply = drifted.changed or is_rerouted or (applied.is_roomy and health in (Health.READY, Health.SUSPENDED))
    return Observation(
        health,
        found,
        "" if is_to_apply else applied.fingerprint,
        reason,
        message,
        applied.fingerprint,
        str(drifted),
        volumes=None if is_starting else volumes_of(items[CLAIM.kind]),
        backup=backups.backup(api, system, items.get(backups.CRON_JOB.kind, ())),
    )


def _age_s(applied: Inventory, now: datetime) -> float:
    """Since it was applied. Without the sign: what seems to lie far ahead is not fresh either."""
    return abs((now - applied.written_at).total_seconds()) if applied.written_at else math.inf


def _workloads(api: Api, system: SystemRef, items: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[Workload, ...]:
    now = api.now()
    raw_pods = api.items(POD, system.namespace, selector=selector(system))
    pods = [read_pod(pod, now) for pod in raw_pods]
    created = {pod["metadata"]["name"]: parse_time(pod["metadata"]["creationTimestamp"]) for pod in raw_pods}
    sets = api.items(REPLICA_SET, system.namespace, selector=selector(system)) if items.get("Deployment") else []
    seen = [workloads.deployment(item, sets, pods, now) for item in items.get("Deployment", ())]
    seen += [workloads.stateful_set(item, pods, now, created) for item in items.get("StatefulSet", ())]
    seen += [workloads.job(item, pods) for item in items.get("Job", ())]
    return tuple(_explained(api, system, one, created, now) for one in sorted(seen, key=lambda one: one.workload.name))


def _explained(api: Api, system: SystemRef, seen: Seen, created: Mapping[str, datetime], now: datetime) -> Workload:
    """A crash is told with what the container wrote last; a pod that takes long to start, with what the cluster complains of."""
    trouble, message = seen.trouble, seen.workload.message
    if trouble is None or not seen.pod:
        return seen.workload
    if trouble.crashed:
        lines = logs.last_words(api, system.namespace, seen.pod, trouble.crashed, lines=LAST_WORDS, previous=trouble.is_between_runs)
        return replace(seen.workload, message="\n".join((message, *lines)))
    if trouble.is_mute and (now - created[seen.pod]).total_seconds() > SLOW_START_S:
        complaint = warnings.last_warning(api, system.namespace, seen.pod)
        return replace(seen.workload, message=f"{message} {complaint}".strip())
    return seen.workload

"""When a workload, and a system of workloads, counts as ready: one set of rules for every runtime. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.runtime.port import Health, Workload

CRASHES_UNTIL_FAILED = 3
"""A new revision whose container ended this often without ever being ready is not waited for any longer."""


def workload_health(*, wanted: int, ready: int, updated: int, ready_updated: int, old: int, has_failed: bool, was_complete: bool) -> Health:
    """Where one Deployment stands.

    UPDATED counts the replicas of the wanted revision, OLD those of others that have not been told to stop, READY the serving ones of
    either, READY_UPDATED the serving ones of the wanted revision. HAS_FAILED says that the runtime gave up on the wanted revision,
    WAS_COMPLETE that its rollout once ended well: from then on a lost replica is trouble, not progress.
    """
    if wanted == 0:
        return Health.SUSPENDED if updated + old == 0 else Health.PROGRESSING
    if old == 0 and updated == wanted and ready_updated == wanted:
        return Health.READY
    if has_failed:
        return Health.DEGRADED if was_complete and ready else Health.FAILED
    if was_complete and old == 0 and updated == wanted:
        return Health.DEGRADED
    return Health.PROGRESSING


_WORST_FIRST = (Health.FAILED, Health.PROGRESSING, Health.DEGRADED)


def system_health(workloads: Sequence[Workload]) -> tuple[Health, str, str]:
    """Health, reason and message of a system, from those of its workloads: the worst one speaks for it, under its name."""
    for health in _WORST_FIRST:
        for workload in workloads:
            if workload.health is health:
                message = f"{workload.name}: {workload.message}" if workload.message else ""
                return health, workload.reason, message
    if workloads and all(workload.health is Health.SUSPENDED for workload in workloads):
        return Health.SUSPENDED, "", ""
    return Health.READY, "", ""

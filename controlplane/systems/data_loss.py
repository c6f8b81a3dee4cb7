"""What a booking system's data are kept in, and what is done while that is gone: nothing, until somebody says how it goes on.

An empty database in the place of one that is gone would sell the same seats again, while buyers hold tickets for them. So a live system
remembers which volumes (and schemas on a server outside) its data were in when it was last seen well. Where one of them is not there any
more, or is another, it is closed: buyers find nobody, no backup is written over the good ones, and nothing is applied. It goes on by itself
once what it had is there again (an API server that forgot it for a moment, a directory put back), and otherwise as an admin says
(reopening.py).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from controlplane.lib import audit, queue
from controlplane.lib.reasons import Reason, declare, gettext_noop
from controlplane.rendering.database import SERVER
from controlplane.rendering.plan import Plan
from controlplane.runtime.port import GOING, Health, Observation, Runtime
from controlplane.systems import databases
from controlplane.systems.lease import CONVERGE, Lease
from controlplane.systems.models import BookingSystem, Operation, State
from controlplane.systems.outcomes import Failed, Retry
from controlplane.systems.planning import live_plan
from controlplane.systems.steps import columns_of, no_reason

OPENING = (Operation.Kind.REOPEN, Operation.Kind.RESTORE)
"""What an admin says: these make volumes where there are none."""
BACKUPS = f"{SERVER}-backups"
"""The claim of the volume that has the backups. No data of its own: it is made anew like anything else."""
_NEVER_NOTED = "?"
CONFIRM_S = 1.0
"""Nobody is sent away because of one look: a server that answers wrongly for a moment is asked once more."""

log = logging.getLogger(__name__)

declare(
    {
        "data_gone": gettext_noop(
            "Its data are gone: what they were in is not there any more (%(volumes)s). It is closed for buyers, and nothing is made in its "
            "place."
        ),
        "data_other": gettext_noop(
            "Its data are not the ones that it had: what they are in was replaced (%(volumes)s). It is closed for buyers, and nothing is "
            "changed."
        ),
        "data_going": gettext_noop(
            "Its data are about to go: somebody deleted what they are in (%(volumes)s), which goes as soon as nothing uses it. It is "
            "closed for buyers; make a backup now."
        ),
        "data_not_there": gettext_noop("Its data are not there, so nothing was changed: %(detail)s"),
    }
)


def claims_of(plan: Plan) -> list[str]:
    """The claims that PLAN keeps its data in, backups apart."""
    services = [f"{service.name}-data" for service in plan.services if service.storage_mib]
    return services + ([f"{SERVER}-data"] if plan.database and plan.database.server else [])


def keeps(system: BookingSystem) -> dict[str, str]:
    """The volumes that SYSTEM had when it was last seen well."""
    return dict((system.data_marks or {}).get("claims") or {})


def keeps_for(system: BookingSystem, plan: Plan) -> dict[str, str]:
    """Those of them that PLAN has: what a service had that is in it no more holds nothing up."""
    claims = claims_of(plan)
    return {claim: mark for claim, mark in keeps(system).items() if claim in claims}


def is_noted(system: BookingSystem) -> bool:
    """Whether SYSTEM, as it is live, was seen well."""
    marks = system.data_marks
    return marks is not None and marks.get("revision") == system.live_revision_id


def loss(system: BookingSystem, seen: Observation) -> Reason | None:
    """What SYSTEM, which was live, has lost of its data, as far as can be SEEN; None when nothing."""
    if seen.volumes is not None and (found := _lost(_expected(system), seen.volumes)):
        return found
    # Nobody who sells well has lost a schema; the server outside need not be asked of each of them every minute.
    if seen.health in (Health.READY, Health.PROGRESSING, Health.SUSPENDED) and system.state != State.DATA_GONE:
        return None
    plan = live_plan(system)
    try:
        return lost_outside(system, plan) if plan else None
    except (Retry, Failed) as unknown:
        log.info("system %s: whether its schemas are there: %s", system.pk, unknown.reason.message)
        # Who was found to have lost them has, until somebody can tell.
        return _reason_of(system) if system.state == State.DATA_GONE else None


def lost_outside(system: BookingSystem, plan: Plan) -> Reason | None:
    """The same of its schemas on a server outside, by PLAN. Raises Retry and Failed as `databases` does."""
    if plan.database is None or plan.database.server is not None:
        return None
    known = (system.data_marks or {}).get("schemas") or {}
    if system.live_revision is None or not known:
        return None
    return _lost(known, databases.first_migrations(plan.database, known))


def _lost(expected: Mapping[str, str], found: Mapping[str, str]) -> Reason | None:
    lost: dict[str, list[str]] = {"data_gone": [], "data_other": [], "data_going": []}
    for name, mark in expected.items():
        if name not in found:
            lost["data_gone"].append(name)
        elif found[name] == GOING:
            lost["data_going"].append(name)
        elif mark and found[name] != mark:
            lost["data_other"].append(name)
    return next((Reason(code, {"volumes": ", ".join(sorted(names))}) for code, names in lost.items() if names), None)


def _expected(system: BookingSystem) -> dict[str, str]:
    """Claim -> its mark, empty where nobody noted it yet."""
    known = keeps(system)
    if is_noted(system):
        return known
    plan = live_plan(system)
    return {claim: known.get(claim, "") for claim in claims_of(plan)} if plan else known


def stand_still(lease: Lease, runtime: Runtime, seen: Observation, lost: Reason) -> None:
    """Say that SYSTEM has LOST its data, and, from the second look on, close it. Raises RuntimeFailure."""
    system = lease.system
    was_known = system.state == State.DATA_GONE
    if not was_known or (system.reason_code, system.reason_params) != (lost.code, dict(lost.params)):
        with lease.transaction():
            lease.write(state=State.DATA_GONE, data_marks=_fixed(system, seen), **columns_of(lost))
            if not was_known:
                lease.write(repairs=0, not_before=None)
                audit.record("system.data_gone", system, code=lost.code, found=dict(seen.volumes or {}), **lost.params)
        log.error("system %s: %s", system.pk, lost.message)
    if not was_known:
        queue.send(CONVERGE, delay_s=CONFIRM_S, system_id=system.pk)
    elif system.live_revision:
        lease.renew()
        runtime.close(system.ref, system.live_revision.manifests)


def _fixed(system: BookingSystem, seen: Observation) -> dict[str, Any]:
    """The marks of SYSTEM, also for what nobody had noted yet: what is made in its place, should that come to nothing, is not it."""
    found = {claim: mark for claim, mark in (seen.volumes or {}).items() if mark != GOING}
    claims = {claim: mark or found.get(claim, _NEVER_NOTED) for claim, mark in _expected(system).items()}
    return {**(system.data_marks or {}), "revision": system.live_revision_id, "claims": claims}


def went_on(lease: Lease, *, state: State) -> None:
    """Within the lease's transaction, once what was live is applied again: its data are there as they were."""
    lease.write(state=state, attempts=0, **no_reason())
    audit.record("system.data_back", lease.system)


def note(lease: Lease, seen: Observation) -> None:
    """Remember what the data of a system are in that was SEEN well; written only when it is news."""
    system, marks = lease.system, lease.system.data_marks or {}
    if seen.volumes is None or seen.health not in (Health.READY, Health.SUSPENDED):
        return
    backups = seen.volumes.get(BACKUPS, "")
    if (marks.get("revision"), marks.get("backups")) == (system.live_revision_id, backups):
        return
    plan = live_plan(system)
    if plan is None:
        return
    found: dict[str, Any] = {"revision": system.live_revision_id, "backups": backups}
    found["claims"] = {claim: seen.volumes[claim] for claim in claims_of(plan) if claim in seen.volumes}
    if plan.database and plan.database.server is None:
        lease.renew()
        try:
            found["schemas"] = databases.first_migrations(plan.database, plan.database.schemas.values())
        except (Retry, Failed) as unknown:
            log.info("system %s: which schemas it has: %s", system.pk, unknown.reason.message)
            return
    with lease.transaction():
        lease.write(data_marks=found)


def has_backups(system: BookingSystem, seen: Observation) -> bool | None:
    """Whether the volume with the backups of before is there; None when nobody can tell, or there never were any."""
    mark = (system.data_marks or {}).get("backups")
    return None if seen.volumes is None or not mark else seen.volumes.get(BACKUPS) == mark


def _reason_of(system: BookingSystem) -> Reason:
    return Reason(system.reason_code, system.reason_params)

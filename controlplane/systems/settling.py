"""Looks after a booking system that nobody is changing: what drifted is put right, and what a failed change left is taken back."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from controlplane.lib import audit
from controlplane.lib.reasons import Reason
from controlplane.rendering.database import DatabasePlan
from controlplane.rendering.plan import from_json
from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.fingerprint import fingerprint
from controlplane.runtime.port import Health, Observation, Runtime
from controlplane.systems import backups, conflicts, content, data_loss, databases, rotating
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.giving import put_content
from controlplane.systems.lease import Lease
from controlplane.systems.live_edits import live_requirement
from controlplane.systems.models import BookingSystem, Desired, Operation, Revision, State
from controlplane.systems.orphans import RETURNED, handed_over, refuse_orphans, was_handed_over
from controlplane.systems.outcomes import LONGEST_DELAY_S, Failed, Retry, backoff_s
from controlplane.systems.planning import plan_back, read_stored
from controlplane.systems.secrets import secrets_for
from controlplane.systems.steps import columns_of, workload_json
from controlplane.systems.storing import revision_store

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 60.0
LONGEST_REPAIR_DELAY_S = 300.0
"""Between two repairs of what somebody changes again and again; and so long after the last pause nothing may have been to repair for the
next repair to count as the first, which is made at once."""
UNSEEN_AFTER = 3
"""Looks in a row that failed before it is said that nobody knows how a system is: an API server may be away for a moment."""
UNSEEN = "unknown"
"""The `health` of a system then."""
ASKED_TIMES = 6
"""How often a service that is silent is asked what it sold by a change that came to nothing: over some 20 s."""

_verified: dict[int, str] = {}
"""System -> the fingerprint that this process found to be that of today's secrets. The platform's own may be others than when they were
handed over: settings are read when a process starts, so once a process is often enough."""


def settle(lease: Lease, runtime: Runtime) -> float | None:
    """Put SYSTEM right, as far as it goes now; seconds until the next look, None for never. Raises LeaseLost."""
    system = lease.system
    if system.desired_state != Desired.LIVE and system.state != State.DELETED:
        return None
    try:
        if system.state == State.DELETED:
            # A worker that was stopped for longer than its lease may have applied it once more.
            return _clear_away(lease, runtime)
        return _keep_live(lease, runtime) if system.live_revision_id else _clear_away(lease, runtime)
    except RuntimeFailure as error:
        log.warning("system %s: %s", system.pk, error.reason)
        return max(_later(lease), error.retry_after_s)


def _clear_away(lease: Lease, runtime: Runtime) -> float | None:
    """Nothing of a first deployment that failed shall run on: nobody can use it, and it would be paid for."""
    ref = lease.system.ref
    if not was_handed_over(lease.system):
        return None
    if lease.system.content_given:
        # What its services were given goes with their databases: who tries again has to give it again.
        _save(lease, content_given={})
    if runtime.observe(ref).health is Health.ABSENT:
        return None
    lease.renew()
    runtime.delete(ref)
    return None if runtime.observe(ref).health is Health.ABSENT else _later(lease)


def _keep_live(lease: Lease, runtime: Runtime) -> float:
    system = lease.system
    try:
        seen = runtime.observe(system.ref)
    except RuntimeFailure as error:
        if system.attempts >= UNSEEN_AFTER:
            _save(lease, health=UNSEEN, health_message=error.reason)
        raise
    if lost := data_loss.loss(system, seen):
        _note_health(lease, seen)
        data_loss.stand_still(lease, runtime, seen, lost)
        return LOOK_AGAIN_S
    is_back = system.state == State.DATA_GONE
    pause_s = pause_left_s(system)
    is_left = system.leaves_drift and not is_back and not conflicts.is_taken(system)
    if is_left and seen.drift and not seen.fingerprint and seen.applied == system.live_fingerprint:
        seen = _with_drift(seen)
    elif pause_s and (is_back or not _is_as_live(system, seen)):
        # Each change is an event: who fights over a field would have it applied as often as they write it.
        _note_health(lease, _with_refusal(system, _with_drift(seen)))
        return min(pause_s, LOOK_AGAIN_S)
    elif (forgot := rotating.forget_old(lease)) or is_back or not _is_as_live(system, seen):
        live = _live_revision(system)
        secrets = secrets_for(system, from_json(live.plan))
        wanted = fingerprint(live.manifests, secrets)
        was_other = (seen.fingerprint, system.live_fingerprint) != (wanted, wanted)
        if seen.fingerprint != wanted or is_back:
            lease.renew()
            # What Clove itself changed is no repair: old keys that are trusted no more, data that are back.
            is_repair = not is_back and bool(system.live_fingerprint)
            halfway = handed_over(system)
            if halfway and not _may_return(lease, halfway):
                return _later(lease)
            if halfway and (database := databases.serving(halfway, seen)):
                live = _on_its_database(lease, live, database)
                secrets = secrets_for(system, from_json(live.plan))
                wanted = fingerprint(live.manifests, secrets)
            try:
                keeps = data_loss.keeps_for(system, from_json(live.plan))
                with conflicts.overruled(lease) as takes:
                    runtime.apply(system.ref, live.manifests, secrets, keeps=keeps, takes=takes)
            except RuntimeFailure as error:
                _note_health(lease, replace(seen, message=f"{seen.message} {error.reason}".strip()))
                if is_repair or error.retry_after_s:
                    with lease.transaction():
                        _put_off(lease, error)
                raise
            with lease.transaction():
                pause_s = _put_off(lease) if is_repair else 0.0
                if is_back:
                    data_loss.went_on(lease, state=_state_of(live))
                elif not forgot:
                    audit.record("system.repair", system, revision=live.number, found=seen.health.value, message=seen.message)
                if halfway:
                    halfway.result |= {RETURNED: True}
                    halfway.save(update_fields=["result"])
        if system.live_fingerprint != wanted:
            _save(lease, live_fingerprint=wanted)
        _verified[system.pk] = wanted
        if was_other:
            return pause_s or _later(lease)
    _note_health(lease, seen)
    data_loss.note(lease, seen)
    backups.note(lease, seen)
    if system.state == State.SUSPENDED:
        # Nobody is there to be given anything.
        return LOOK_AGAIN_S
    _note_address(lease, runtime)
    if system.content_given != system.content_live and not (seen.health is Health.READY and _take_back_content(lease)):
        return _later(lease)
    if system.attempts:
        _save(lease, attempts=0)
    if system.not_before and timezone.now() > system.not_before + timedelta(seconds=LONGEST_REPAIR_DELAY_S):
        _save(lease, repairs=0, not_before=None)
    return LOOK_AGAIN_S


def pause_left_s(system: BookingSystem) -> float:
    """Seconds until SYSTEM may be put right again; 0 for at once. A pause that is longer than any is of before the clock was put back."""
    left_s = (system.not_before - timezone.now()).total_seconds() if system.not_before else 0.0
    return left_s if 0.0 < left_s <= LONGEST_REPAIR_DELAY_S else 0.0


def _put_off(lease: Lease, error: RuntimeFailure | None = None) -> float:
    """Within the lease's transaction, after a repair (which ERROR stopped): seconds until the next one may be made."""
    system = lease.system
    if error and error.is_passing:
        # It says nothing of how well repairs hold, and what is wrong waits no longer than it must.
        pause_s = max(min(_delay_s(system.attempts), LONGEST_DELAY_S), error.retry_after_s)
    else:
        pause_s = _delay_s(system.repairs)
        lease.write(repairs=system.repairs + 1)
    lease.write(not_before=timezone.now() + timedelta(seconds=pause_s))
    return pause_s


def _with_drift(seen: Observation) -> Observation:
    """SEEN, telling what somebody changed."""
    return replace(seen, message=seen.message if seen.drift in seen.message else f"{seen.message} {seen.drift}".strip())


def _with_refusal(system: BookingSystem, seen: Observation) -> Observation:
    """SEEN, telling still why the last repair was refused, where nothing else has moved since."""
    is_same = system.health == seen.health.value and system.health_message.startswith(seen.message)
    return replace(seen, message=system.health_message) if is_same else seen


def _may_return(lease: Lease, halfway: Operation) -> bool:
    """Whether the live revision may take the place of HALFWAY, a change that came to nothing. If not, SYSTEM says what stands in the way.

    Its services may have taken money that nobody could give back without them: they stay until that has been done.
    """
    system = lease.system
    last = system.operations.exclude(kind=Operation.Kind.EDIT).first() or halfway
    reason = Reason(last.reason_code, last.reason_params)
    may_return = True
    try:
        if halfway.revision and system.state != State.SUSPENDED:
            wanted = read_stored(_live_revision(system).requirement)
            refuse_orphans(lease, before=halfway.revision, wanted=wanted, is_suspended=False)
    except (Failed, Retry) as stands:
        log.info("system %s: before the live revision: %s", system.pk, stands.reason.message)
        # Who never answers may be what the live revision mends; what is in its database waits there for the next change.
        may_return = isinstance(stands, Retry) and system.attempts >= ASKED_TIMES
        reason = reason if may_return else stands.reason
    if reason.code != system.reason_code:
        _save(lease, **columns_of(reason))
    return may_return


def _on_its_database(lease: Lease, live: Revision, database: DatabasePlan) -> Revision:
    """LIVE, or a revision of it for DATABASE, which stands: the live one from now on."""
    plan, objects = plan_back(lease.system, live, database=database)
    if plan.to_json() == live.plan:
        return live
    with lease.transaction() as system:
        revision = revision_store(system, requirement=live.requirement, plan=plan, objects=objects)
        lease.write(live_revision=revision)
    return revision


def _state_of(live: Revision) -> State:
    return State.SUSPENDED if from_json(live.plan).adjustments.is_suspended else State.LIVE


def _live_revision(system: BookingSystem) -> Revision:
    assert system.live_revision is not None  # noqa: S101  (the caller looked)
    return system.live_revision


def _is_as_live(system: BookingSystem, seen: Observation) -> bool:
    """It runs as it did when it went live, with the secrets that it is to have today."""
    return seen.fingerprint == system.live_fingerprint == _verified.get(system.pk)


def _note_address(lease: Lease, runtime: Runtime) -> None:
    """Where it is reached from here, as whatever routes is given another address in time."""
    system, endpoint = lease.system, runtime.endpoint(lease.system.ref)
    if (system.connect_url, system.connect_host) != (endpoint.connect_url, endpoint.host):
        _save(lease, connect_url=endpoint.connect_url, connect_host=endpoint.host)


def _note_health(lease: Lease, seen: Observation) -> None:
    system = lease.system
    workloads = [workload_json(workload) for workload in seen.workloads]
    if (system.health, system.health_message, system.health_workloads) != (seen.health.value, seen.message, workloads):
        _save(lease, health=seen.health.value, health_message=seen.message, health_workloads=workloads)


def _take_back_content(lease: Lease) -> bool:
    """Give the services again what the last change that succeeded gave them, with what was edited live since. False: not now.

    A service that refuses keeps what it has: places may have been sold of it meanwhile.
    """
    system = lease.system
    documents = content.documents_for(live_requirement(system), from_json(_live_revision(system).plan))
    given = dict(system.content_given)
    try:
        with BookingApi.of(system, scopes=("content",)) as api:
            for service, document in documents.items():
                if given.get(service) != system.content_live.get(service):
                    lease.renew()
                    answer = put_content(api, system, service, document, between=lease.renew)
                    if answer.is_success:
                        given[service] = content.digests(documents)[service]
    except Silent:
        return False
    _save(lease, content_given=given, content_live=given)
    return True


def _later(lease: Lease) -> float:
    attempts = lease.system.attempts
    _save(lease, attempts=attempts + 1)
    return _delay_s(attempts)


def _delay_s(times: int) -> float:
    """1.25 s, 1.5, 2, … 300 s, after so many TIMES."""
    return min(1.0 + backoff_s(times) * 2 ** min(max(0, times - 6), 10), LONGEST_REPAIR_DELAY_S)


def _save(lease: Lease, **values: object) -> None:
    with lease.transaction():
        lease.write(**values)

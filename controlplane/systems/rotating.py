"""Changing the signing keys of a booking system while it sells, without a failed request.

The operation that does it (`rotate`) makes new keys and lets every service know them while the old ones still sign; waits until that
has reached those that run; then puts the new ones in use and replaces every copy, as a restart does; and what the old ones signed stays
good until it has run out (settling.py takes them off then). Ticket codes have no end: the public keys that they were signed with stay for
good, and the key of an image that has no place for these is not changed.

Between the two moments both are trusted, whoever signs with which: a worker that dies, a rollout that is held or given up, another change
that takes its place. Then nobody knows who still signs with an old key, and it stays until the keys are changed once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

import controlplane.systems.asks  # noqa: F401  (declares the words)
from controlplane.lib import audit
from controlplane.lib.reasons import Reason
from controlplane.rendering.plan import Plan, from_json
from controlplane.systems import keyring, staff_keys
from controlplane.systems.keys import seal, unseal
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem, Operation, SystemSecret
from controlplane.systems.orphans import handed_over
from controlplane.systems.outcomes import Failed, Held, Waiting
from controlplane.systems.secrets import LASTING_KIND, OTHERS_KIND, TRUSTED_KINDS, names_of, secrets_for
from controlplane.systems.steps import Run

TRUST = "trust"
"""The step in which the new keys are made known."""
OLD_KEYS_STAY = timedelta(minutes=15)
"""Longer than any token lives (a buyer's and staff's: 10 minutes), with room for clocks that differ."""
KNOWN_AT = "known_at"
"""In the `result` of a rotation: since when the runtime has the new keys."""
_TOLD_EVERY_S = 10


def make_known(run: Run, *, kept: Callable[[Plan], Mapping[str, str]]) -> None:
    """Let every service that runs know the next keys. Returns when they do; raises Waiting until then, Held while the change is held.

    KEPT says which volumes a plan must find, or raises Failed.
    """
    if run.is_done(TRUST):
        return
    live = run.system.live_revision
    if live is None or handed_over(run.system, but=run.operation):
        # What runs is neither what is live nor what is asked for: the next look brings the live revision back first.
        raise Failed("being_changed")
    run.begin(TRUST)
    if not _known_since(run.operation):
        plan = from_json(live.plan)
        keeps = kept(plan)
        with run.lease.transaction() as system:
            _make_next(system, plan)
        run.runtime.apply(run.system.ref, live.manifests, secrets_for(run.system, plan), keeps=keeps)
        with run.lease.transaction():
            run.operation.result = run.operation.result | {KNOWN_AT: timezone.now().isoformat()}
            run.operation.save(update_fields=["result"])
    known_at = _known_since(run.operation) or timezone.now()
    left_s = settings.MOUNT_DELAY_S - (timezone.now() - known_at).total_seconds()
    if left_s > 0:
        # Told in steps, each of which is progress: this takes longer than anything else may stand still.
        reason = Reason("step_trusting", {"seconds": int(-(-left_s // _TOLD_EVERY_S)) * _TOLD_EVERY_S})
        run.say(TRUST, reason, has_moved=True)
        raise Waiting(reason.code, **reason.params)
    if run.operation.is_paused:
        raise Held("step_trusted")
    run.done(TRUST, "step_trusted", then="preview")


def _known_since(operation: Operation) -> datetime | None:
    """When the runtime was given the next keys; None also for a time that is yet to come: the clock was put back since."""
    told = operation.result.get(KNOWN_AT)
    known_at = datetime.fromisoformat(told) if told else None
    return known_at if known_at and known_at <= timezone.now() else None


def take_into_use(lease: Lease) -> None:
    """Put the keys that were made known in the place of those that sign. Once they are, again is no matter."""
    with lease.transaction() as system:
        plan = from_json(system.live_revision.plan) if system.live_revision else None
        lasting = {service.secret: names_of(service, LASTING_KIND) for service in plan.services} if plan else {}
        has_changed = False
        for row in SystemSecret.objects.select_for_update().filter(system=system):
            files = unseal(row.sealed)
            changed = keyring.in_use(files, for_ever=lasting.get(row.name, ()))
            if changed != files:
                _store(row, changed)
                has_changed = True
        if has_changed:
            # From now on some service may sign with a key of before until this has come to its end.
            lease.write(old_keys_until=None)


def replaced(run: Run) -> None:
    """Within the transaction that ends a rotation: every copy was replaced since, so nobody signs with a key of before any more."""
    run.lease.write(old_keys_until=timezone.now() + OLD_KEYS_STAY)


def forget_old(lease: Lease) -> bool:
    """Whether the time of old keys has come: then they are trusted no more from the next apply on, which is the caller's to make."""
    system, now = lease.system, timezone.now()
    if system.old_keys_until is None:
        return False
    if system.old_keys_until > now:
        if system.old_keys_until > now + OLD_KEYS_STAY:  # the clock was put back since
            with lease.transaction():
                lease.write(old_keys_until=now + OLD_KEYS_STAY)
        return False
    with lease.transaction():
        for row in SystemSecret.objects.select_for_update().filter(system=system):
            files = unseal(row.sealed)
            if (left := keyring.without_old(files)) != files:
                _store(row, left)
        # No process takes what runs for what should run any more, even if this one dies before it applies.
        lease.write(old_keys_until=None, live_fingerprint="")
        audit.record("system.old_keys", system)
    return True


def _make_next(system: BookingSystem, plan: Plan) -> None:
    rows = {row.name: row for row in SystemSecret.objects.select_for_update().filter(system=system)}
    for service in plan.services:
        if row := rows.get(service.secret):
            # Without a place for the keys of before, what the old one signed would be good no more.
            lasting = names_of(service, LASTING_KIND) if names_of(service, OTHERS_KIND) else []
            _store(row, keyring.with_next(unseal(row.sealed), [*names_of(service, *TRUSTED_KINDS), *lasting]))
    # From its first change on the system has a key of its own for staff, too.
    own = rows.get(staff_keys.SECRET)
    files = keyring.with_next(staff_keys.files_of(own), [staff_keys.FILE])
    _store(own or SystemSecret(system=system, name=staff_keys.SECRET), files)


def _store(row: SystemSecret, files: dict[str, str]) -> None:
    row.sealed = seal(files)
    row.save()


def is_rotation(operation: Operation) -> bool:
    """Whether OPERATION changes keys."""
    return operation.kind == Operation.Kind.ROTATE

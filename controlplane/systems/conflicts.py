"""Who keeps a booking system from being applied: noted when the runtime refuses, and overruled once if an admin says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from controlplane.runtime.errors import OwnedByAnother
from controlplane.runtime.port import Takes
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem, Operation

OBJECT, OWNER, REASON, IS_TAKEN = "object", "owner", "reason", "is_taken"


def is_taken(system: BookingSystem) -> bool:
    """An admin said that what stands in the way of SYSTEM is to be taken back; no apply has done so yet."""
    return bool((system.conflict or {}).get(IS_TAKEN))


def has_failed_over_it(system: BookingSystem) -> bool:
    """The last change of SYSTEM failed for somebody else's sake; what is live may be applied all the same."""
    last = system.operations.exclude(kind=Operation.Kind.EDIT).first()
    return last is not None and last.state == Operation.State.FAILED and last.reason_code == OwnedByAnother.code


@contextmanager
def overruled(lease: Lease, *, is_trial: bool = False) -> Iterator[Takes]:
    """What one call of the runtime takes from others. Whoever refuses it is noted, in the place of whoever was taken from.

    A trial changes nothing, so what is to be taken stays for the apply that follows.
    """
    known = lease.system.conflict or {}
    try:
        yield ((known[OBJECT], known[OWNER]),) if is_taken(lease.system) else ()
    except OwnedByAnother as conflict:
        # A namespace of somebody else's is not to be taken: what is in it is theirs.
        is_object = not conflict.reason.startswith("Namespace ")
        _note(lease, {OBJECT: conflict.object_name, OWNER: conflict.owner, REASON: conflict.reason} if is_object else None)
        raise
    if known and not is_trial and (is_taken(lease.system) or not has_failed_over_it(lease.system)):
        _note(lease, None)


def _note(lease: Lease, conflict: dict[str, Any] | None) -> None:
    if lease.system.conflict != conflict:
        with lease.transaction():
            lease.write(conflict=conflict)

"""One converge at a time per booking system: a lease column taken by a conditional update, stolen when stale, fenced by the generation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from controlplane.lib import owners
from controlplane.systems.models import BookingSystem

CONVERGE = "jobs.converge"
"""The task that takes a lease and looks."""
LEASE_S = 45
"""Longer than any single call that a converge makes; each write renews it."""


class LeaseLost(Exception):
    """The system was changed meanwhile, or another converge took it over: what was about to be written no longer holds."""


class Lease:
    """Held by one converge. `system` is the row as it was last read."""

    def __init__(self, system: BookingSystem, owner: str) -> None:
        self.system = system
        self._owner = owner

    @classmethod
    def acquire(cls, system_id: int) -> Lease | None:
        """The lease, or None when another holds it, who then looks once more before letting go; or when there is no such system.

        `wakes` is bumped before the lease is tried: whoever holds it either sees the bump when releasing, or has released already.
        """
        owner, now = owners.new_owner(), timezone.now()
        with transaction.atomic():
            if not BookingSystem.objects.filter(pk=system_id).update(wakes=F("wakes") + 1):
                return None
            if not _take(system_id, owner, now):
                return None
            return cls(BookingSystem.objects.get(pk=system_id), owner)

    @contextmanager
    def transaction(self) -> Iterator[BookingSystem]:
        """A transaction that holds only while the lease and the generation do. Raises LeaseLost before anything in it is written."""
        with transaction.atomic():
            if not self._mine().filter(generation=self.system.generation).update(lease_until=_until(timezone.now())):
                raise LeaseLost
            yield self.system

    def write(self, **values: Any) -> None:
        """Set these columns and no other, within `transaction`: `wakes` and the lease itself may have moved since the row was read."""
        for name, value in values.items():
            setattr(self.system, name, value)
        self.system.save(update_fields=list(values))

    def renew(self) -> None:
        """Before a slow call. Raises LeaseLost."""
        with self.transaction():
            pass

    def reload(self) -> BookingSystem:
        """Read the row again: another generation may be wanted. Raises LeaseLost when somebody else took over."""
        system = self._mine().first()
        if system is None:
            raise LeaseLost
        self.system = system
        return system

    def release(self, *, next_check_at: datetime | None) -> bool:
        """Let go, to be looked at again at NEXT_CHECK_AT. False when somebody asked for another look since `reload`: then still held."""
        return bool(
            self._mine()
            .filter(wakes=self.system.wakes, generation=self.system.generation)
            .update(lease_owner="", lease_until=None, next_check_at=next_check_at)
        )

    def abandon(self) -> None:
        """Let go as it is; the sweep looks at it soon."""
        self._mine().update(lease_owner="", lease_until=None, next_check_at=timezone.now())

    def _mine(self) -> QuerySet[BookingSystem]:
        return BookingSystem.objects.filter(pk=self.system.pk, lease_owner=self._owner)


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_S)


def _take(system_id: int, owner: str, now: datetime) -> bool:
    row = BookingSystem.objects.filter(pk=system_id)
    values = {"lease_owner": owner, "lease_until": _until(now)}
    # One that ends later than any does was taken before the clock was put back.
    if row.filter(Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_until__gt=now + timedelta(seconds=2 * LEASE_S))).update(**values):
        return True
    holder = row.values_list("lease_owner", flat=True).get()
    # A killed worker's lease need not run out: its process is known to be gone.
    return owners.is_dead(holder) and bool(row.filter(lease_owner=holder).update(**values))

"""How the backups of a booking system go: noted with what else is seen of it, and told when one fails."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from controlplane.lib import audit
from controlplane.runtime.port import Observation
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem

OVERDUE = timedelta(hours=26)
"""They are made daily; one that takes long, or waits for its pod, has some time."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backups:
    """What is known of a system's backups. `why` says why the last one failed, empty when it did not."""

    good_at: datetime | None
    failed_at: datetime | None
    why: str
    is_overdue: bool
    """None was made for longer than there should be, and nothing says why."""

    @property
    def is_well(self) -> bool:
        return not self.failed_at and not self.is_overdue


def note(lease: Lease, seen: Observation) -> None:
    """Remember how the backups of a system go that was SEEN; written only when it is news. What begins or ceases to fail is audited."""
    if seen.backup is None:
        return
    system, before, now = lease.system, lease.system.backup or {}, asdict(seen.backup)
    if before == now:
        return
    with lease.transaction():
        lease.write(backup=now)
        if now["failed_at"] and now["failed_at"] != before.get("failed_at"):
            audit.record("system.backup_failed", system, at=now["failed_at"], message=now["message"], last_good=now["good_at"])
            log.error("system %s: no backup was made: %s", system.pk, now["message"])
        elif before.get("failed_at") and not now["failed_at"]:
            audit.record("system.backup_again", system, at=now["good_at"])


def backups_of(system: BookingSystem) -> Backups | None:
    """None for a system whose backups are not the platform's to make."""
    if system.backup is None:
        return None
    good_at, failed_at = _time(system.backup["good_at"]), _time(system.backup["failed_at"])
    since = max(filter(None, (good_at, system.live_at)), default=None)
    is_overdue = not failed_at and since is not None and timezone.now() - since > OVERDUE
    return Backups(good_at, failed_at, system.backup["message"], is_overdue)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

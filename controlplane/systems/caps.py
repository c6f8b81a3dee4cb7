"""What a seller may have running, and what is counted of it.

Counted is what a booking system's namespace may use at most, as its ResourceQuota says: the limits of every copy that there may be, of one
copy more of each service while a change is rolled out, and of its database. One that is suspended counts with what its database may use,
and takes no place among those that run; one that is deleted counts no more. `used_…` of its row is what it was let have last.

Whoever asks is held to the limits, an admin too: they change the seller's first. What asks for no more than there is already is never
refused, so that lower limits stop nothing that runs and nobody from making it smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields, replace

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from controlplane.accounts.models import User
from controlplane.lib import audit
from controlplane.lib.reasons import declare, gettext_noop
from controlplane.rendering.adjustments import MAX_REPLICAS
from controlplane.rendering.plan import Plan, from_json
from controlplane.systems.caps_models import SellerCaps
from controlplane.systems.errors import Refused
from controlplane.systems.models import BookingSystem, State

NOT_COUNTED = (State.DRAFT, State.DELETED)
HIGHEST = {"copies": MAX_REPLICAS}
"""Beyond what no limit goes."""

declare(
    {
        "too_many_systems": gettext_noop(
            "%(used)s booking systems of this seller run, and %(allowed)s may. Suspend or delete one, or ask the platform's admin for more."
        ),
        "too_much_cpu": gettext_noop(
            "This may use %(asked)s cores, the seller's other booking systems %(used)s, and together they may have %(allowed)s. Suspend or "
            "delete one, or ask the platform's admin for more."
        ),
        "too_much_memory": gettext_noop(
            "This may use %(asked)s GiB of memory, the seller's other booking systems %(used)s, and together they may have %(allowed)s. "
            "Suspend or delete one, or ask the platform's admin for more."
        ),
        "too_much_cpu_for_one": gettext_noop(
            "It may use %(used)s cores now and %(asked)s then, and one booking system may have %(allowed)s. Ask for less, or the "
            "platform's admin for more."
        ),
        "too_much_memory_for_one": gettext_noop(
            "It may use %(used)s GiB of memory now and %(asked)s then, and one booking system may have %(allowed)s. Ask for less, "
            "or the platform's admin for more."
        ),
        "too_many_copies": gettext_noop(
            "%(service)s may run as %(used)s copies now and %(asked)s then, and %(allowed)s is the most. Ask for less, or the "
            "platform's admin for more."
        ),
    }
)


@dataclass(frozen=True)
class Caps:
    """What one seller may have: booking systems that run, cores and GiB of all of them, the same of each, copies of a service."""

    systems: int
    cpu: int
    memory_gib: int
    system_cpu: int
    system_memory_gib: int
    copies: int


@dataclass(frozen=True)
class Amounts:
    """What is counted; see above."""

    systems: int = 0
    cpu_m: int = 0
    memory_mib: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    def or_more(self, other: Amounts) -> Amounts:
        """The larger of both, each by itself."""
        return Amounts(*map(max, astuple(self), astuple(other)))

    @property
    def cores(self) -> float | int:
        return _whole(self.cpu_m / 1000)

    @property
    def memory_gib(self) -> float | int:
        return _whole(self.memory_mib / 1024)


@dataclass(frozen=True)
class Allowance:
    """What a seller has, of what they may have."""

    used: Amounts
    caps: Caps

    @property
    def lines(self) -> list[tuple[str, float | int, int]]:
        """What it is (systems, cpu or memory), how much is used, how much allowed."""
        used, caps = self.used, self.caps
        return [
            ("systems", used.systems, caps.systems),
            ("cpu", used.cores, caps.cpu),
            ("memory", used.memory_gib, caps.memory_gib),
        ]


def everybodys() -> Caps:
    """What the settings let every seller have."""
    return Caps(**settings.CAPS)


def caps_of(seller_id: int) -> Caps:
    """What this seller may have."""
    own = SellerCaps.objects.filter(pk=seller_id).first()
    said = {field.name: getattr(own, field.name) for field in fields(Caps)} if own else {}
    return replace(everybodys(), **{name: value for name, value in said.items() if value is not None})


def allowance(seller: User) -> Allowance:
    """What SELLER has, of what they may have."""
    return Allowance(_used(seller.pk), caps_of(seller.pk))


def amounts_of(plan: Plan) -> Amounts:
    """What a booking system that runs by PLAN counts."""
    rests = plan.adjustments.is_suspended
    total = (replace(plan, services=()) if rests else plan).total(surge=True)
    return Amounts(0 if rests else 1, total["cpu_limit_m"], total["memory_limit_mib"])


def of_system(system: BookingSystem) -> Amounts:
    """What SYSTEM counts now; a row that an older version wrote last says nothing, and its plan is asked."""
    if system.used_cpu_m is not None:
        return Amounts(system.used_systems or 0, system.used_cpu_m, system.used_memory_mib or 0)
    if system.state in NOT_COUNTED:
        return Amounts()
    revision = system.live_revision or system.revisions.order_by("-number").first()
    return amounts_of(from_json(revision.plan)) if revision else Amounts(systems=1)


def columns(amounts: Amounts) -> dict[str, int]:
    """AMOUNTS as the columns of a booking system."""
    return {f"used_{field.name}": getattr(amounts, field.name) for field in fields(Amounts)}


def check(system: BookingSystem, plan: Plan, *, live: Plan | None) -> Amounts:
    """What SYSTEM counts from now on, if it is to run by PLAN and runs by LIVE: the larger of both, for until the change is through.

    Raises Refused: `too_many_copies`, `too_much_cpu_for_one`, `too_much_memory_for_one`, `too_many_systems`, `too_much_cpu`,
    `too_much_memory`. Binding only within `let_have`.
    """
    caps, now, asked = caps_of(system.seller_id), of_system(system), amounts_of(plan)
    _check_copies(plan, live, caps)
    if asked.cpu_m > max(now.cpu_m, caps.system_cpu * 1000):
        raise Refused("too_much_cpu_for_one", asked=asked.cores, used=now.cores, allowed=caps.system_cpu)
    if asked.memory_mib > max(now.memory_mib, caps.system_memory_gib * 1024):
        raise Refused("too_much_memory_for_one", asked=asked.memory_gib, used=now.memory_gib, allowed=caps.system_memory_gib)
    others = _used(system.seller_id, but=system)
    together = others + asked
    if asked.systems > now.systems and together.systems > caps.systems:
        raise Refused("too_many_systems", asked=asked.systems, used=others.systems, allowed=caps.systems)
    if asked.cpu_m > now.cpu_m and together.cpu_m > caps.cpu * 1000:
        raise Refused("too_much_cpu", asked=asked.cores, used=others.cores, allowed=caps.cpu)
    if asked.memory_mib > now.memory_mib and together.memory_mib > caps.memory_gib * 1024:
        raise Refused("too_much_memory", asked=asked.memory_gib, used=others.memory_gib, allowed=caps.memory_gib)
    return asked.or_more(amounts_of(live)) if live else asked


def lock(seller_id: int) -> SellerCaps:
    """Take the seller's row until the end of the transaction: of two that ask at the same moment for two systems, the second counts what
    the first was let have.

    After the system's own row, and before anything is written that names an account (whose row a database takes then, too): in that order
    everywhere, so that no two wait for each other.
    """
    rows = SellerCaps.objects.select_for_update()
    own = rows.filter(pk=seller_id).first()
    if own is None:
        SellerCaps.objects.bulk_create([SellerCaps(pk=seller_id)], ignore_conflicts=True)
        own = rows.get(pk=seller_id)
    return own


def let_have(system: BookingSystem, plan: Plan, *, live: Plan | None) -> dict[str, int]:
    """The columns of SYSTEM, for the caller to write in this transaction, under `lock`. Raises Refused as `check` does."""
    lock(system.seller_id)
    return columns(check(system, plan, live=live))


@transaction.atomic
def caps_set(*, seller: User, acting_user: User, values: Mapping[str, int | None]) -> None:
    """Let SELLER have what VALUES say by the names of Caps; None: as everybody. The same again changes nothing. For admins."""
    own = lock(seller.pk)
    changes = {name: value for name, value in values.items() if getattr(own, name) != value}
    if not changes:
        return
    before = {name: getattr(own, name) for name in changes}
    for name, value in changes.items():
        setattr(own, name, value)
    own.save(update_fields=list(changes))
    audit.record("user.caps", seller, acting_user=acting_user, before=before, after=changes)


def own_caps(seller: User) -> dict[str, int | None]:
    """What was said for SELLER alone, by the names of Caps."""
    own = SellerCaps.objects.filter(pk=seller.pk).first() or SellerCaps()
    return {field.name: getattr(own, field.name) for field in fields(Caps)}


def _used(seller_id: int, *, but: BookingSystem | None = None) -> Amounts:
    rows = BookingSystem.objects.filter(seller=seller_id).exclude(state__in=NOT_COUNTED)
    if but:
        rows = rows.exclude(pk=but.pk)
    each = {field.name: Sum(f"used_{field.name}", default=0) for field in fields(Amounts)}
    sums = rows.aggregate(unsaid=Count("pk", filter=Q(used_cpu_m=None)), **each)
    unsaid = _unsaid(rows) if sums.pop("unsaid") else ()
    return sum(unsaid, Amounts(**sums))


def _unsaid(rows: QuerySet[BookingSystem]) -> Iterator[Amounts]:
    """What those of ROWS count of which it is not written yet; it is from then on, unless something else was meanwhile."""
    for system in rows.filter(used_cpu_m=None).select_related("live_revision").defer("live_revision__manifests"):
        found = of_system(system)
        BookingSystem.objects.filter(pk=system.pk, used_cpu_m=None).update(**columns(found))
        yield found


def _check_copies(plan: Plan, live: Plan | None, caps: Caps) -> None:
    for service in plan.services:
        asked = plan.adjustments.of(service.name).most_replicas
        now = live.adjustments.of(service.name).most_replicas if live else 1
        if asked > max(now, caps.copies):
            raise Refused("too_many_copies", service=service.name, asked=asked, used=now, allowed=caps.copies)


def _whole(value: float) -> float | int:
    """To two digits, and without a fraction where there is none."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded

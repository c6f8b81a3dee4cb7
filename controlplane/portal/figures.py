"""What was sold, in the shape of a page: the services' own figures, joined with the performances' times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.systems.selectors import SalesSummary


@dataclass(frozen=True)
class PerformanceLine:
    starts_at: str
    free: int
    held: int
    sold: int

    @property
    def percent(self) -> int:
        """Share of the places that are sold."""
        total = self.free + self.held + self.sold
        return round(100 * self.sold / total) if total else 0


@dataclass(frozen=True)
class Figures:
    """Amounts in won; None where the service that knows did not answer."""

    tickets: int | None = None
    orders: int | None = None
    income_krw: int | None = None
    refunded_krw: int | None = None
    outside_krw: int = 0
    """What of it was given back at the payment provider, not here."""
    due_krw: int | None = None
    """Still to be paid at the door."""
    taken_at_door_krw: int = 0
    merchandise_krw: int | None = None
    waiting: int = 0
    """People in the waiting room; none where seat is too old to have one."""
    performances: list[PerformanceLine] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return self.tickets is None and not self.performances

    @property
    def sold(self) -> int:
        return sum(line.sold for line in self.performances)

    @property
    def capacity(self) -> int:
        return sum(line.sold + line.held + line.free for line in self.performances)


def figures(summary: SalesSummary, performances: list[dict[str, Any]]) -> Figures:
    """SUMMARY with PERFORMANCES of the requirement; one that the requirement no longer has is shown by its id."""
    times = {str(item.get("id")): str(item.get("starts_at")) for item in performances}
    lines = [
        PerformanceLine(times.get(str(item.get("id")), str(item.get("id"))), _int(item, "free"), _int(item, "held"), _int(item, "sold"))
        for item in (summary.seat or {}).get("performances", [])
    ]
    ticket, merch = summary.ticket, summary.merch
    return Figures(
        tickets=_int(ticket, "tickets") if ticket else None,
        orders=_int(ticket, "orders") if ticket else None,
        income_krw=_int(ticket, "captured_krw") - _int(ticket, "refunded_krw") if ticket else None,
        refunded_krw=_int(ticket, "refunded_krw") if ticket else None,
        outside_krw=_int(ticket or {}, "outside_krw"),
        due_krw=_int(ticket, "due_krw") if ticket else None,
        taken_at_door_krw=_int(ticket or {}, "taken_at_door_krw"),
        merchandise_krw=_int(merch, "captured_krw") - _int(merch, "refunded_krw") if merch else None,
        waiting=_waiting((summary.seat or {}).get("room")),
        performances=sorted(lines, key=lambda line: line.starts_at),
    )


def _waiting(room: Any) -> int:
    return _int(room, "given") - _int(room, "admitted") if isinstance(room, Mapping) else 0


def _int(document: Mapping[str, Any], key: str) -> int:
    value = document.get(key)
    return value if isinstance(value, int) else 0

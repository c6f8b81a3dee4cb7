"""What a plan will cost by what it reserves. What it really used is measured and charged apart."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from controlplane.metering.prices import CPU, HOURS_A_MONTH, MEMORY, STORAGE, Price
from controlplane.rendering.plan import Plan


@dataclass(frozen=True)
class CostLine:
    """`quantity` of `unit` at `price_krw` an hour each; `code` names the resource: cpu, memory, storage."""

    code: str
    quantity: Decimal
    unit: str
    price_krw: Decimal
    per_hour_krw: Decimal


@dataclass(frozen=True)
class Cost:
    """In won, with 730 hours to a month."""

    lines: tuple[CostLine, ...]
    per_hour_krw: Decimal
    per_month_krw: int


def estimate(plan: Plan) -> Cost:
    """The cost of PLAN while it runs as planned, nobody using it: requests of CPU and memory, and the volumes."""
    total = plan.total(surge=False)
    lines = (
        _line(CPU, Decimal(total["cpu_request_m"]) / 1000),
        _line(MEMORY, Decimal(total["memory_request_mib"]) / 1024),
        _line(STORAGE, Decimal(total["storage_mib"]) / 1024),
    )
    per_hour = sum((line.per_hour_krw for line in lines), Decimal(0))
    return Cost(lines, per_hour, int((per_hour * HOURS_A_MONTH).quantize(Decimal(1), ROUND_HALF_UP)))


def _line(price: Price, quantity: Decimal) -> CostLine:
    cost = (quantity * price.per_hour_krw).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return CostLine(price.code, quantity, price.unit, price.per_hour_krw, cost)

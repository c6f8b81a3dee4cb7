"""What a plan will cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from controlplane.metering.estimate import estimate
from controlplane.metering.prices import CPU, HOURS_A_MONTH, MEMORY, STORAGE
from tests.unit.controlplane.rendering.test_render import PLAN


def test_the_lines_add_up_to_the_hour_and_the_hours_to_the_month() -> None:
    cost = estimate(PLAN)

    assert [line.code for line in cost.lines] == ["cpu", "memory", "storage"]
    assert cost.per_hour_krw == sum(line.per_hour_krw for line in cost.lines)
    assert abs(cost.per_month_krw - cost.per_hour_krw * HOURS_A_MONTH) < 1


def test_a_plan_costs_what_it_reserves() -> None:
    cpu, memory, storage = estimate(PLAN).lines

    assert (cpu.quantity, cpu.per_hour_krw) == (Decimal("0.3"), Decimal("0.3") * CPU.per_hour_krw)
    assert (memory.unit, memory.price_krw) == (MEMORY.unit, MEMORY.per_hour_krw)
    assert (storage.quantity, storage.price_krw) == (Decimal(5), STORAGE.per_hour_krw)


def test_a_second_replica_costs_as_much_again() -> None:
    doubled = replace(PLAN, services=tuple(replace(service, replicas=2) for service in PLAN.services))

    assert estimate(doubled).lines[0].per_hour_krw == 2 * estimate(PLAN).lines[0].per_hour_krw

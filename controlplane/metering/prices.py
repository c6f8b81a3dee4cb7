"""What a resource costs. Prices are data: whoever runs a platform sets their own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

HOURS_A_MONTH = 730


@dataclass(frozen=True)
class Price:
    """The price of one `unit` of a resource in won; per hour."""

    code: str
    unit: str
    per_hour_krw: Decimal


# About what a managed cluster's nodes and disks cost in the Seoul region, per unit that is reserved.
CPU = Price("cpu", "vCPU", Decimal("45"))
MEMORY = Price("memory", "GiB", Decimal("6"))
STORAGE = Price("storage", "GiB", Decimal("0.18"))

"""Misbehaviour on demand, per order or for whatever comes next. Kept in memory: a restarted stand-in behaves.

| fault       | the call is         | its caller gets                             |
|-------------|---------------------|---------------------------------------------|
| lost_after  | carried out         | a broken connection                         |
| late        | carried out after delay_s | a broken connection, at once          |
| delay       | carried out after delay_s | the answer, after that                |
| slow_after  | carried out         | the answer, after delay_s                   |
| 5xx         | not carried out     | 500                                         |
| 5xx_after   | carried out         | 500                                         |
| doubled     | carried out twice   | the second answer                           |
| refused     | (approve) refused by the card company | -780                      |
"""

from __future__ import annotations

import random
import threading
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Kind = Literal["lost_after", "late", "delay", "slow_after", "5xx", "5xx_after", "doubled", "refused"]
Operation = Literal["ready", "approve", "order", "cancel"]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """FAULT happens to OPERATION of the order, or of any with probability RATE, TIMES times (0: until it is cleared)."""

    fault: Kind
    operation: Operation = "approve"
    partner_order_id: str = ""
    times: Annotated[int, Meta(ge=0)] = 1
    rate: Annotated[float, Meta(gt=0, le=1)] = 1.0
    delay_s: Annotated[float, Meta(ge=0, le=120)] = 1.0


class Faults:
    """The faults that are switched on. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._on.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._on.clear()

    def listed(self) -> list[Fault]:
        with self._lock:
            return list(self._on)

    def take(self, operation: str, partner_order_id: str) -> Fault | None:
        """What shall go wrong with this call; used up once it was taken as often as it says."""
        if not self._on:
            return None
        with self._lock:
            for fault in self._on:
                if fault.operation != operation or fault.partner_order_id not in ("", partner_order_id):
                    continue
                if random.random() > fault.rate:  # noqa: S311 - chance, not a secret
                    continue
                if fault.times:
                    fault.times -= 1
                    if not fault.times:
                        self._on.remove(fault)
                return fault
        return None


faults = Faults()

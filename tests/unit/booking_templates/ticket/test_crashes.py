"""A crash before and after every write and every call of the saga, and then recovery: I1–I5 hold at each of these points.

Each scenario runs once to find its points, then again with the process gone at one of them: at each one before which something new lasts,
or, in `./clove test faults`, at each. What the outside keeps (the provider's captures, the seats) is what it is; the database rolls back
what was not committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking_templates.kit.db import clock
from booking_templates.ticket import event
from booking_templates.ticket.models import Event, LedgerEntry, Notice, Order, OrderRefund, Performance, RefundByHand, Ticket
from tests.booking_fakes import Crash, FakeProvider, FakeSeat, World
from tests.unit.booking_templates.ticket.crash_findings import recover_all, violations
from tests.unit.booking_templates.ticket.crash_scenarios import (
    GIVEN_BACK,
    OFFERED,
    PAID,
    Stage,
    performance_called_off_while_it_is_paid_for,
    refund_by_hand,
    refund_of_a_part_with_the_answer_lost,
    without_payment,
    without_payment_and_cancellation,
    without_payment_given_up_in_doubt,
    without_payment_with_a_concession,
)

ONCE_AND_REPEATED = [
    *(pytest.param(scenario, False, id=f"{scenario.__name__}-recovered") for scenario in PAID + GIVEN_BACK),
    *(pytest.param(scenario, True, id=f"{scenario.__name__}-repeated") for scenario in [*PAID, refund_by_hand]),
]
AFTER_THE_WORLD_MOVED = ("after approve", "after cancel", "after confirm", "after pin", "after release")


def wipe() -> None:
    from booking_templates.kit.models import OutboxMessage

    with connection.cursor() as cursor:
        for model in (Notice, RefundByHand, Ticket, LedgerEntry, OrderRefund, Order, OutboxMessage, Performance):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # type: ignore[attr-defined]
    starts = clock() + timedelta(days=5)
    Performance.objects.create(pk="p1", starts_at=starts)
    Event.objects.update_or_create(pk=Event.ONLY, defaults={"concessions": OFFERED})
    event.forget()


@pytest.fixture(params=["after every move", pytest.param("everywhere", marks=pytest.mark.slow)])
def is_everywhere(request: pytest.FixtureRequest) -> bool:
    """Whether the process is gone at all points, or at those alone at which it leaves what it has not left before."""
    return bool(request.param == "everywhere")


@dataclass
class Rounds:
    """One scenario from its beginning, as often as is needed."""

    scenario: Callable[[Stage], None]
    world: World
    provider: FakeProvider
    seat: FakeSeat
    client: Any
    buyer_id: str
    is_everywhere: bool
    staff: Any = None

    def run(self, crash_at: int | None) -> Stage:
        """Play it from an empty database, up to point CRASH_AT or to its end."""
        wipe()
        self.provider.payments.clear()
        self.provider.faults.clear()
        self.seat.faults.clear()
        stage = Stage(self.client, self.buyer_id, self.provider, self.seat, self.seat.hold(self.buyer_id), staff=self.staff)
        self.until(crash_at, lambda: self.scenario(stage))
        return stage

    def until(self, crash_at: int | None, go: Callable[[], object]) -> None:
        with self.world.watching(connection), self.world.crashing(crash_at):
            if crash_at is None:
                go()
            else:
                with pytest.raises(Crash):
                    go()

    @property
    def points(self) -> list[int]:
        """Where what was just run to its end is to crash."""
        return list(range(len(self.world.points))) if self.is_everywhere else list(self.world.moves)

    def settles(self, stage: Stage, where: str) -> None:
        recover_all(self.world)
        assert violations(stage) == [], f"{self.scenario.__name__}: {where}"


def crash_everywhere(rounds: Rounds, *, is_repeated: bool) -> int:
    """A crash at each of the scenario's points; how many points it has. IS_REPEATED: the buyer then does it all again."""
    stage = rounds.run(None)
    names, points = list(rounds.world.points), rounds.points
    rounds.settles(stage, "no crash")
    for point in points:
        stage = rounds.run(point)
        if is_repeated and stage.repeat is not None:
            stage.repeat()
        elif is_repeated:
            again = stage.order()
            if again.status_code < 300 and again.json()["status"] == "PAYING" and not again.json()["is_settling"]:
                stage.come_back(again.json()["id"])
        rounds.settles(stage, f"crash {names[point]} (point {point})")
    return len(names)


@pytest.mark.parametrize(("scenario", "is_repeated"), ONCE_AND_REPEATED)
def test_a_crash_anywhere_is_recovered(
    scenario: Callable[[Stage], None],
    is_repeated: bool,
    is_everywhere: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    staff_client: Any,
    buyer_id: str,
) -> None:
    rounds = Rounds(scenario, world, provider, seat, buyer_client, buyer_id, is_everywhere, staff=staff_client)
    assert crash_everywhere(rounds, is_repeated=is_repeated) >= 6


@pytest.mark.parametrize("is_repeated", [False, True], ids=["recovered", "repeated"])
@pytest.mark.parametrize(
    "scenario",
    [without_payment, without_payment_with_a_concession, without_payment_and_cancellation, without_payment_given_up_in_doubt],
)
def test_a_crash_anywhere_without_a_payment_is_recovered(
    scenario: Callable[[Stage], None],
    is_repeated: bool,
    is_everywhere: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    buyer_id: str,
    no_provider: None,
) -> None:
    rounds = Rounds(scenario, world, provider, seat, buyer_client, buyer_id, is_everywhere)
    assert crash_everywhere(rounds, is_repeated=is_repeated) >= 6


@pytest.mark.parametrize("scenario", [*PAID, refund_of_a_part_with_the_answer_lost, performance_called_off_while_it_is_paid_for])
def test_a_crash_of_the_recovery_itself_is_recovered(
    scenario: Callable[[Stage], None],
    is_everywhere: bool,
    world: World,
    provider: FakeProvider,
    seat: FakeSeat,
    buyer_client: Any,
    buyer_id: str,
) -> None:
    """First crash where it hurts most, right after the outside world has done something; then at each point of the recovery."""
    rounds = Rounds(scenario, world, provider, seat, buyer_client, buyer_id, is_everywhere)
    rounds.run(None)
    names = list(world.points)
    for first in [index for index, name in enumerate(names) if name in AFTER_THE_WORLD_MOVED]:
        stage = rounds.run(first)
        rounds.until(None, lambda: recover_all(world))
        seconds = rounds.points
        rounds.settles(stage, f"crash {names[first]}")
        for second in seconds:
            stage = rounds.run(first)
            rounds.until(second, lambda: recover_all(world))
            rounds.settles(stage, f"crash {names[first]}, then at point {second} of the recovery")

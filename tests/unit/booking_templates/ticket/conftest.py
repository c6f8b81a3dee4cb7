"""The ticket service with a fake provider and a fake seat service around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.booking_fakes import FakeProvider, FakeSeat, World


@pytest.fixture(autouse=True)
def database(transactional_db: None) -> None:
    """Real commits: the saga is about what stands in the rows. No power is cut in these tests, so nothing waits for the disk."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def provider(world: World, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    from booking_templates.ticket.saga import saga

    fake = FakeProvider(world)
    monkeypatch.setattr(saga, "provider", lambda: fake)
    return fake


@pytest.fixture
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event without payment."""
    from booking_templates.ticket.saga import saga

    monkeypatch.setattr(saga, "provider", lambda: None)


@pytest.fixture
def seat(world: World, monkeypatch: pytest.MonkeyPatch) -> FakeSeat:
    from booking_templates.kit import peers

    fake = FakeSeat(world)
    monkeypatch.setattr(peers, "call", fake.call)
    return fake


@pytest.fixture
def recover() -> Callable[[], None]:
    """Let time pass until nothing is due any more: the recovery pass and the outbox, with every wait over at once."""

    def run() -> None:
        from booking_templates.kit import outbox
        from booking_templates.kit.db import clock
        from booking_templates.kit.models import OutboxMessage
        from booking_templates.ticket.models import Order
        from booking_templates.ticket.saga import saga

        for _ in range(20):
            past = clock() - timedelta(seconds=1)
            Order.objects.filter(next_at__isnull=False).exclude(state="PAYING").update(next_at=past)
            OutboxMessage.objects.update(next_at=past)
            if not saga.recover() and not OutboxMessage.objects.exists():
                return
            outbox.deliver_due()

    return run


@pytest.fixture
def buy(provider: FakeProvider, seat: FakeSeat, buyer_client: Any, buyer_id: str) -> Callable[..., str]:
    """A purchase up to its end; the order's id."""

    def run(*, client: Any = None, hold_id: str = "", **hold: Any) -> str:
        caller = client or buyer_client
        wanted = hold_id or seat.hold(buyer_id, **hold)
        order = caller.post("/api/ticket/orders", {"hold_id": wanted}, content_type="application/json").json()
        token = provider.authenticate(tid_of(order["id"]))
        caller.get(f"/api/ticket/payments/{order['id']}/approved", {"pg_token": token})
        return str(order["id"])

    return run


@pytest.fixture
def three(buy: Callable[..., str]) -> tuple[str, list[str]]:
    """An order of three tickets, booked long ago under the rules that are put later: its id and the tickets'."""
    from booking_templates.kit.db import clock
    from booking_templates.ticket.models import Order, Ticket

    order_id = buy(seats=3)
    Order.objects.update(issued_at=clock() - timedelta(days=30), refund_policy=None, told=None, buyer_name="김하나", buyer_phone="010-1234")
    return order_id, list(Ticket.objects.order_by("place").values_list("pk", flat=True))


@pytest.fixture
def rules(staff_client: Any) -> Callable[..., None]:
    """`rules("consumer_standard", days=5)`: the performance is in so many days."""
    from django.utils import timezone

    from booking_templates.kit.db import clock

    def put(policy: Any, *, days: float) -> None:
        starts = timezone.localtime(clock() + timedelta(days=days)).isoformat()
        body = {"title": "t", "performances": [{"id": "p1", "starts_at": starts}], "refund_policy": policy}
        assert staff_client.put("/api/ticket/content", body, content_type="application/json").status_code == 200

    return put


def tid_of(order_id: str) -> str:
    from booking_templates.ticket.models import Order

    return str(Order.objects.get(pk=order_id).tid)


@pytest.fixture(autouse=True)
def fresh_event() -> Iterator[None]:
    from booking_templates.ticket import event

    event.forget()
    yield
    event.forget()

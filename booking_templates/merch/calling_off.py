"""A performance was called off: what was bought beside its tickets goes back with them, whole, unless it was picked up.

When none is left, everything else that was not picked up goes back as well.

Who has no show to go to has no counter to pick up at. What was handed over stays the buyer's and paid for.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db.models import Exists, OuterRef

from booking_templates.kit.db import clock, write
from booking_templates.kit.problems import Problem
from booking_templates.merch import sales
from booking_templates.merch.models import Order, WithdrawnTickets
from booking_templates.merch.orders import items_of, value_krw
from booking_templates.merch.saga import saga
from booking_templates.payments.reasons import CALLED_OFF
from booking_templates.payments.states import State

log = logging.getLogger("clove.merch")

BATCH = 200
PASS_S = 3.0
"""Well within the worker's lease, and no longer than other orders' recovery may wait."""
LATE = timedelta(minutes=1)
"""An order whose tickets were looked up just before they were withdrawn is written by then."""
UNDER_WAY = (State.PENDING, State.PAYING, State.APPROVING, State.CAPTURED, State.ISSUED)


def withdrawn(ticket_order: str) -> None:
    """Note that the tickets are withdrawn; the worker takes back what was bought beside them. Twice is once."""
    row = WithdrawnTickets(ticket_order=ticket_order, at=clock())
    write(lambda: WithdrawnTickets.objects.bulk_create([row], ignore_conflicts=True))


def take_back() -> int:
    """The worker's pass: take back orders whose tickets are withdrawn, for PASS_S at most; the number. Repeats until none is left.

    An order whose payment is being decided comes out issued or refunded by itself, and is looked at again.
    """
    until = time.monotonic() + PASS_S
    done = _take_back_all(until) if sales.current().is_off else 0
    noted = list(WithdrawnTickets.objects.filter(is_open=True).order_by("at", "pk").values_list("pk", flat=True))
    if not noted:
        return done
    for first in range(0, len(noted), BATCH):
        beside = Order.objects.filter(ticket_order__in=noted[first : first + BATCH], picked_up_at=None)
        for order in beside.filter(state__in=(State.PAYING, State.ISSUED)).order_by("pk"):
            if time.monotonic() > until:
                return done
            done += _take_back(order)
    _forget_settled()
    return done


def _take_back_all(until: float) -> int:
    """Whatever stands, bought beside tickets or alone: there is nothing left to pick it up at."""
    done, after = 0, ""
    standing = Order.objects.filter(state__in=(State.PAYING, State.ISSUED), picked_up_at=None).order_by("pk")
    while orders := list(standing.filter(pk__gt=after)[:BATCH]):
        for order in orders:
            if time.monotonic() > until:
                return done
            done += _take_back(order)
        after = orders[-1].pk
    return done


def _take_back(order: Order) -> bool:
    try:
        if order.state == State.ISSUED:
            saga.withdraw(order, reason=CALLED_OFF, price_krw=value_krw(items_of(order)))
        else:
            saga.give_up(order, CALLED_OFF)
    except Problem as refusal:
        # It is being paid, given back in part or handed over at this moment: the next pass sees what came of it.
        log.info("not taken back yet", extra={"fields": {"order": order.pk, "why": refusal.code}})
        return False
    return True


def _forget_settled() -> None:
    beside = Order.objects.filter(ticket_order=OuterRef("pk"), state__in=UNDER_WAY, picked_up_at=None)
    settled = WithdrawnTickets.objects.filter(~Exists(beside), is_open=True, at__lt=clock() - LATE)
    write(lambda: settled.update(is_open=False))

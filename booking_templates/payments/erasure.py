"""Taking a person out of the records.

Orders, payments and refunds stay without them, as law requires of sales (전자상거래법: five years).
"""

from __future__ import annotations

import secrets
from typing import Any

from booking_templates.payments.answers import refused
from booking_templates.payments.reasons import BUYER
from booking_templates.payments.saga import Saga
from booking_templates.payments.states import State

UNDER_WAY = (State.PENDING, State.PAYING, State.APPROVING, State.CAPTURED)


def erase(saga: Saga[Any], buyer_id: str) -> int:
    """Close what waits for a payment, then put a pseudonym in the place of BUYER_ID everywhere. The number of orders; 0 the second time.

    Raises Conflict `payment_in_progress` while the provider's word on a payment is awaited: it was asked for with this buyer's id.
    """
    own = saga.orders._default_manager.filter(buyer_id=buyer_id)
    for order in own.filter(state__in=(State.PENDING, State.PAYING)):
        saga.give_up(order, BUYER)
    if own.filter(state__in=UNDER_WAY).exists():
        raise refused("payment_in_progress", retry_after_s=5)
    pseudonym = f"erased-{secrets.token_hex(12)}"
    # What was ordered since the look, with a token that lives on, keeps its buyer until its payment is decided.
    count = own.exclude(state__in=UNDER_WAY).update(buyer_id=pseudonym, buyer_name="", buyer_phone="", idempotency_key=None)
    if own.exists():
        raise refused("payment_in_progress", retry_after_s=5)
    return count

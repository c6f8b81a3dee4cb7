"""How much a service that takes payments works on at once: new orders are admitted, buyers who come back from paying always are."""

from __future__ import annotations

from booking_templates.kit.gate import Gate

GATE = Gate("payments", at_once=24)
"""Of the threads of such a service (`catalog.PAYING_THREADS`): the others read and refuse, which is soon done."""

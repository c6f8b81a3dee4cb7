"""What becomes of a wish beyond the requirement that came to nothing: the next change shall not repeat it unasked.

Each operation keeps the adjustments that were asked for with it, so that it can be tried again as it was.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from controlplane.lib.reasons import Reason, declare, gettext_noop
from controlplane.systems.models import BookingSystem, Operation, OperationStep
from controlplane.systems.planning import adjustments_of, live_plan

TAKEN_BACK = "taken_back"
"""The step that tells of it; it comes after those that the operation went through."""
ASKED = "adjustments"
"""Where an operation's `result` has what was asked for with it."""

declare({"step_taken_back": gettext_noop("Its services are wanted as they are live again, as in revision %(number)s.")})


def take_back(system: BookingSystem, operation: Operation) -> dict[str, Any]:
    """The adjustments to ask of SYSTEM now that OPERATION failed: its live revision's, where there is one.

    Within the transaction that ends the operation; told among its steps when they are others. Sets nothing: the caller writes them.
    """
    asked: dict[str, Any] = system.adjustments
    live = live_plan(system)
    if live is None or system.live_revision is None or live.adjustments == adjustments_of(system):
        return asked
    reason, now = Reason("step_taken_back", {"number": system.live_revision.number}), timezone.now()
    OperationStep.objects.create(
        operation=operation,
        name=TAKEN_BACK,
        state=OperationStep.State.DONE,
        message_code=reason.code,
        message=reason.message,
        message_params=dict(reason.params),
        started_at=now,
        ended_at=now,
    )
    return live.adjustments.to_json()

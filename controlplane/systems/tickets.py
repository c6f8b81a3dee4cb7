"""What stands in the way of deleting a booking system: asked of its ticket and merch services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from controlplane.rendering.plan import from_json
from controlplane.systems.booking_api import BookingApi, Silent
from controlplane.systems.errors import DeletionRefused
from controlplane.systems.models import BookingSystem
from controlplane.systems.selectors import performances_of

SCOPES = ("content", "summary")


def refuse_while_sold(system: BookingSystem, *, is_forced: bool) -> None:
    """Raises DeletionRefused while tickets or paid goods for coming performances, open payments or refunds stand.

    Raises it too when a service does not say, unless IS_FORCED. Services that rest say nothing until they are resumed.
    """
    if not is_forced and system.live_revision and from_json(system.live_revision.plan).adjustments.is_suspended:
        raise DeletionRefused("shape_while_suspended")
    try:
        with BookingApi.of(system, scopes=SCOPES) as api:
            stands = {service: _asked(api, service) for service in ("ticket", "merch") if _has(system, service)}
    except Silent:
        if is_forced:
            return
        raise DeletionRefused("tickets_unknown") from None
    sums = {
        key: sum(int(found.get(key) or 0) for found in stands.values())
        for key in ("tickets_for_coming", "paid_tickets_for_coming", "open_payments", "open_refunds", "paid_orders_to_pick_up")
    }
    if sums["paid_tickets_for_coming"] or sums["open_payments"]:
        raise DeletionRefused("paid_tickets_stand", tickets=sums["paid_tickets_for_coming"], payments=sums["open_payments"])
    if sums["tickets_for_coming"]:  # an older image counts those alone that were paid for
        raise DeletionRefused("tickets_stand", tickets=sums["tickets_for_coming"])
    if sums["open_refunds"]:
        raise DeletionRefused("refunds_open", refunds=sums["open_refunds"])
    if sums["paid_orders_to_pick_up"] and _has_coming(system):
        raise DeletionRefused("goods_stand", orders=sums["paid_orders_to_pick_up"])


def _asked(api: BookingApi, service: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in ("open", "summary"):
        answer = api.get(f"/api/{service}/{path}")
        if not (answer.is_success and isinstance(answer.document, dict)):
            raise Silent(answer.detail)
        found |= answer.document
    return found


def _has(system: BookingSystem, service: str) -> bool:
    return bool(system.live_revision and from_json(system.live_revision.plan).service(service))


def _has_coming(system: BookingSystem) -> bool:
    """Whether a performance is still to come."""
    return any(datetime.fromisoformat(item["starts_at"]) > timezone.now() for item in performances_of(system))

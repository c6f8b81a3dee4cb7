"""Endpoints for the other services of this booking system."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext as _

from booking_templates.event import content
from booking_templates.event.schemas import Identifier
from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import service
from booking_templates.kit.problems import NotFound


@endpoint(auth=service("ticket"), returns={204: None}, problems=("unknown_performance",))
def close_performance(request: Request, performance_id: str) -> Reply:
    """The organiser has called the performance off, and that is not taken back. Twice is once."""
    try:
        content.call_off(msgspec.convert(performance_id, Identifier))
    except msgspec.ValidationError as error:
        raise NotFound("unknown_performance", _("There is no such performance.")) from error
    return Reply(status=204)

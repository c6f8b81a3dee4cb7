"""What the services are told of the event: given once through their staff API, and again only when the requirement's part of it changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings

from controlplane.rendering.plan import Plan
from controlplane.rendering.refunds import policy_json
from controlplane.rendering.requirement import Requirement, digest

Document = dict[str, Any]


def documents_for(requirement: Requirement, plan: Plan) -> dict[str, Document]:
    """Service -> the body of its `PUT /api/<service>/content`, for those of PLAN that have one.

    Those come first that may refuse, when places or tickets are sold that the new content no longer has.
    """
    return {name: write(requirement) for name, write in _WRITERS.items() if plan.service(name)}


def path_of(service: str) -> str:
    """Where SERVICE takes its content."""
    return f"/api/{service}/content"


def digests(documents: dict[str, Document]) -> dict[str, str]:
    """Service -> digest of its document."""
    return {name: digest(document) for name, document in documents.items()}


def _times(requirement: Requirement, *, with_end: bool) -> list[Document]:
    performances = []
    for performance in requirement.performances:
        item: Document = {"id": performance.id, "starts_at": performance.starts_at.isoformat()}
        if with_end and performance.duration_minutes:
            item["ends_at"] = (performance.starts_at + timedelta(minutes=performance.duration_minutes)).isoformat()
        performances.append(item)
    return performances


def _sales(requirement: Requirement) -> Document:
    return {"opens_at": requirement.sales_open_at.isoformat(), "closes_at": requirement.sales_close_at.isoformat()}


def _venue(requirement: Requirement) -> Document:
    return {"name": requirement.venue_name, "address": requirement.venue_address}


def _seat(requirement: Requirement) -> Document:
    whole = requirement.to_json()
    seating = whole["seating"]
    return {
        **{key: value for key, value in seating.items() if key != "numbered"},
        "grades": whole["grades"],
        "performances": _times(requirement, with_end=False),
        "sales": _sales(requirement),
        "limit_per_buyer": requirement.limit_per_buyer,
        "hold_minutes": requirement.hold_minutes,
        **({"admit_per_minute": requirement.admit_per_minute} if requirement.admit_per_minute is not None else {}),
        # Left out where there is none: an image that is older does not know it.
        **({"presale": requirement.presale.to_json()} if requirement.presale else {}),
    }


def _event(requirement: Requirement) -> Document:
    lengths = {performance.duration_minutes for performance in requirement.performances}
    length = lengths.pop() if len(lengths) == 1 else None
    return {
        "title": requirement.title,
        "field": requirement.field,
        "description": requirement.description,
        "venue": _venue(requirement),
        "performances": _times(requirement, with_end=True),
        "sales": _sales(requirement),
        **({"running_minutes": length} if length else {}),
        **({"age_limit": requirement.age_limit} if requirement.age_limit is not None else {}),
        **({"organiser": requirement.organiser.to_json()} if requirement.organiser else {}),
        "payment": requirement.payment,
        "payment_test": requirement.payment != "none" and settings.PAYMENT_IS_TEST,
        "merchandise": requirement.merchandise,
    }


def _ticket(requirement: Requirement) -> Document:
    return {
        "title": requirement.title,
        "venue": requirement.venue_name,
        "performances": _times(requirement, with_end=True),
        "sales_close_at": requirement.sales_close_at.isoformat(),
        "refund_policy": policy_json(requirement.refund_policy),
        # Left out where there are none: an image that is older does not know them.
        **({"concessions": [each.to_json() for each in requirement.concessions]} if requirement.concessions else {}),
    }


def _merch(requirement: Requirement) -> Document:
    return {"products": requirement.to_json()["products"], "performances": _times(requirement, with_end=True)}


_WRITERS: dict[str, Callable[[Requirement], Document]] = {"seat": _seat, "ticket": _ticket, "merch": _merch, "event": _event}
SERVICES = frozenset(_WRITERS)
"""Those that are told something."""
MAY_REFUSE = ("seat", "ticket", "merch")

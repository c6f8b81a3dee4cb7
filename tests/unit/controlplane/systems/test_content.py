"""What the services are told is what they take: they refuse a field that they do not know."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from booking_templates.merch.schemas import Content as MerchContent
from booking_templates.ticket.schemas import Content as TicketContent
from controlplane.systems import content, planning
from tests.controlplane import areas_requirement, numbered_requirement

pytestmark = pytest.mark.django_db
TAKEN = {"merch": MerchContent, "ticket": TicketContent}
SHIRT = {
    "id": "shirt",
    "name": "티셔츠",
    "price_krw": 30_000,
    "option_label": "크기",
    "options": [{"id": "m", "name": "M", "stock": 3, "extra_krw": 1000}],
}
CONCESSIONS = [
    {"name": "청소년", "percent": 30, "proof": "학생증", "grades": ["R"], "performances": ["p1"], "at_least": 2, "at_most": 4},
    {"name": "조기예매", "off_krw": 5_000, "from": "2089-12-01T00:00:00+09:00", "until": "2089-12-31T00:00:00+09:00"},
]
REQUIREMENTS = {
    "seats": numbered_requirement,
    "areas": areas_requirement,
    "options": lambda: numbered_requirement(merchandise=True, products=[SHIRT]),
    "concessions": lambda: numbered_requirement(concessions=CONCESSIONS),
    "policy": lambda: numbered_requirement(refund_policy="consumer_standard"),
}


@pytest.mark.parametrize("kind", REQUIREMENTS)
def test_each_service_knows_every_field_that_it_is_told(seller: Any, runtime: Any, kind: str) -> None:
    requirement = planning.read_requirement(REQUIREMENTS[kind](), owner=seller)
    plan = planning.plan_for(requirement, planning.draft_site("event")).plan

    documents = content.documents_for(requirement, plan)

    assert documents.keys() >= {"event", "seat", "ticket"}
    for service in TAKEN.keys() & documents.keys():
        msgspec.json.decode(msgspec.json.encode(documents[service]), type=TAKEN[service])


def test_the_seat_service_is_told_which_seats_are_special(seller: Any, runtime: Any) -> None:
    seating = numbered_requirement()["seating"]
    marks = {"wheelchair": ["A-1"], "obstructed": ["A-2", "A-3"], "blocked": ["A-4"]}

    def told(seating: dict[str, Any]) -> dict[str, Any]:
        requirement = planning.read_requirement(numbered_requirement(seating=seating), owner=seller)
        plan = planning.plan_for(requirement, planning.draft_site("event")).plan
        seats = content.documents_for(requirement, plan)["seat"]
        return {name: seats[name] for name in marks if name in seats}

    assert told(seating | marks) == marks
    assert told(seating) == {}, "what was given before there were marks is the same as before"

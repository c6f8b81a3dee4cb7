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
REQUIREMENTS = {
    "seats": numbered_requirement,
    "areas": areas_requirement,
    "options": lambda: numbered_requirement(merchandise=True, products=[SHIRT]),
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

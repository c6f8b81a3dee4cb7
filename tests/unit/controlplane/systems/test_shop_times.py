"""The shop is told when the event is, and an image of before that goes on as it did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.systems import services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem
from tests.controlplane import Site, SiteRuntime, numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAM = {"id": "program", "name": "프로그램북", "price_krw": 15_000, "stock": 5}
MERCH = ("PUT", "/api/merch/content")


def deployed(seller: User, runtime: SiteRuntime) -> BookingSystem:
    wanted = numbered_requirement(merchandise=True, products=[PROGRAM])
    system = services.system_create(requirement=wanted, acting_user=seller, deploy=True)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def test_it_is_told_the_times_that_tickets_are_told(seller: User, runtime: SiteRuntime, site: Site) -> None:
    assert deployed(seller, runtime).is_live
    assert site.content["merch"]["performances"] == site.content["ticket"]["performances"] != []


def test_an_image_that_does_not_know_them_is_told_the_products_alone(seller: User, runtime: SiteRuntime, site: Site) -> None:
    sent: list[Any] = []

    def answer(_address: str) -> Any:
        sent.append(json.loads(site.bodies[-1]))
        errors = {"performances": ["There is no such field."]}
        return (422, {"code": "invalid", "detail": "no", "errors": errors}) if "performances" in sent[-1] else (200, {"ok": True})

    site.answers[MERCH] = answer
    assert deployed(seller, runtime).is_live
    assert [sorted(each) for each in sent] == [["performances", "products"], ["products"]]

"""Whoever is shown buyers' names and phones leaves a row in the audit trail; the row names nobody and tells no search."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.systems import looks, selectors, shop, staff
from controlplane.systems.errors import ServiceUnavailable
from controlplane.systems.models import BookingSystem
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.unit.controlplane.pages import deployed

pytestmark = pytest.mark.django_db(transaction=True)

ATTENDEES = {"attendees": [{"buyer_name": "김하나", "buyer_phone": "010-1234-5678"}], "total": 1, "page": 1, "pages": 1}


@pytest.fixture
def system(seller: User, runtime: SiteRuntime, site: Site) -> BookingSystem:
    found = deployed(numbered_requirement(), seller, runtime)
    site.answers |= {
        ("GET", "/api/ticket/attendees"): (200, ATTENDEES),
        ("GET", "/api/ticket/attendees.csv"): (200, b"name\n"),
        ("GET", "/api/merch/pickups"): (200, {"orders": []}),
    }
    return found


def rows(system: BookingSystem) -> list[tuple[str, dict[str, Any]]]:
    found = AuditRow.objects.filter(action=looks.ACTION, subject_id=str(system.pk)).order_by("pk")
    return [(row.actor.email if row.actor else "", row.details) for row in found]


def test_each_look_is_written_down_without_whom_it_was_for(system: BookingSystem, seller: User) -> None:
    selectors.attendees(system, user=seller, query="김하나")
    _media_type, chunks = staff.download(system, seller, "attendees", "/api/ticket/attendees.csv", q="김하나")
    b"".join(chunks)
    shop.pick_ups(system=system, user=seller, query="김하나")

    assert rows(system) == [(seller.email, {"what": what}) for what in ("attendees", "attendees.csv", "pickups")]


def test_where_nothing_was_shown_there_was_no_look(system: BookingSystem, seller: User, site: Site) -> None:
    for path in ("/api/ticket/attendees", "/api/ticket/attendees.csv", "/api/merch/pickups"):
        site.answers["GET", path] = (502, {})
    selectors.attendees(system, user=seller)
    with pytest.raises(ServiceUnavailable):
        staff.download(system, seller, "attendees", "/api/ticket/attendees.csv")
    with pytest.raises(ServiceUnavailable):
        shop.pick_ups(system=system, user=seller)
    selectors.sales_summary(system, user=seller)

    assert rows(system) == []


def look(system: BookingSystem, seller: User, name: str) -> None:
    """Look for NAME in each way there is."""
    assert selectors.attendees(system, user=seller, query=name, performance="p1").is_available
    for kind in ("csv", "xlsx"):
        _media_type, chunks = staff.download(system, seller, "attendees", f"/api/ticket/attendees.{kind}", q=name)
        assert b"".join(chunks) == b"name\n"
    shop.pick_ups(system=system, user=seller, query=name)


def test_who_is_looked_for_stands_in_no_address(system: BookingSystem, seller: User, site: Site) -> None:
    """Gateways, routers and tracing write addresses down."""
    site.answers["GET", "/api/ticket/attendees.xlsx"] = (200, b"name\n")
    before = len(site.calls)
    look(system, seller, "Hana")

    assert [call for call in site.calls[before:] if call[0] == "GET"] == []
    assert not any("Hana" in address for address in site.addresses)
    asked = [json.loads(body) for body in site.bodies[before:]]
    assert [each["q"] for each in asked] == ["Hana"] * 4
    assert (asked[0]["performance"], asked[0]["page"]) == ("p1", 1)


def test_an_image_from_before_that_is_asked_as_it_knows(system: BookingSystem, seller: User, site: Site) -> None:
    site.answers["GET", "/api/ticket/attendees.xlsx"] = (200, b"name\n")
    for path in ("attendees", "attendees.csv", "attendees.xlsx"):
        site.answers["POST", f"/api/ticket/{path}"] = (405, {"code": "method_not_allowed"})
    site.answers["POST", "/api/merch/pickups/search"] = (404, {"code": "not_found"})

    look(system, seller, "Hana")

    assert rows(system)[-1] == (seller.email, {"what": "pickups"})

"""Asking the booking services on behalf of a page: what they say, and what a page gets when they say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.accounts.models import User
from controlplane.systems import selectors, services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem
from tests.controlplane import Site, SiteRuntime, areas_requirement, numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)

ATTENDEES = ("GET", "/api/ticket/attendees")


@pytest.fixture
def system(seller: User, runtime: SiteRuntime) -> BookingSystem:
    system = services.system_create(requirement=numbered_requirement(), acting_user=seller, deploy=True)
    converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def test_who_booked_comes_from_the_ticket_service(system: BookingSystem, seller: User, site: Site) -> None:
    site.answers[ATTENDEES] = (200, {"attendees": [{"buyer_name": "김하나"}], "total": 51, "page": 2, "pages": 2})

    page = selectors.attendees(system, user=seller, query="김", page=2)

    assert page == selectors.AttendeePage(True, ({"buyer_name": "김하나"},), 51, 2, 2)


@pytest.mark.parametrize(
    "answer", [(503, {}), (500, {"code": "x"}), (401, {"code": "token_invalid"}), (200, [1]), (200, None), (404, {}), (302, {})]
)
def test_a_service_that_does_not_say_is_unavailable_and_no_error(
    system: BookingSystem, seller: User, site: Site, answer: tuple[int, Any]
) -> None:
    site.answers[ATTENDEES] = answer

    assert selectors.attendees(system, user=seller) == selectors.AttendeePage(is_available=False)


def test_an_answer_that_is_none_at_all_is_unavailable(system: BookingSystem, seller: User, site: Site) -> None:
    site.close()

    assert not selectors.attendees(system, user=seller).is_available
    assert selectors.sales_summary(system, user=seller).unavailable == ("ticket", "seat", "merch")


def test_a_summary_has_what_there_is_and_names_what_is_not(system: BookingSystem, seller: User, site: Site) -> None:
    site.answers["GET", "/api/ticket/summary"] = (200, {"orders": 3})
    site.answers["GET", "/api/seat/summary"] = (503, {})
    site.answers["GET", "/api/merch/summary"] = (200, {"orders": 1})

    assert selectors.sales_summary(system, user=seller) == selectors.SalesSummary({"orders": 3}, None, {"orders": 1}, ("seat",))


def test_a_system_without_merchandise_is_not_asked_for_it(seller: User, runtime: SiteRuntime, site: Site) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller, deploy=True)
    converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    site.calls.clear()

    assert selectors.sales_summary(system, user=seller).unavailable == ()
    assert sorted(path for _, path in site.calls) == ["/api/seat/summary", "/api/ticket/summary"]


def test_a_draft_has_nobody_to_ask(seller: User, site: Site) -> None:
    system = services.system_create(requirement=areas_requirement(), acting_user=seller)

    assert not selectors.attendees(system, user=seller).is_available
    assert selectors.sales_summary(system, user=seller).unavailable == ("ticket", "seat")
    assert site.calls == []


def test_the_public_list_has_what_is_live_by_its_first_day(seller: User, runtime: SiteRuntime, django_assert_num_queries: Any) -> None:
    early = areas_requirement(slug="early", performances=[{"id": "p1", "starts_at": "2089-05-01T19:30:00+09:00"}])
    early["sales"]["closes_at"] = "2089-05-01T18:00:00+09:00"
    for document in (areas_requirement(), early):
        system = services.system_create(requirement=document, acting_user=seller, deploy=True)
        converge(system.pk, runtime=runtime)
    services.system_create(requirement=areas_requirement(slug="draft"), acting_user=seller)

    with django_assert_num_queries(1) as queries:
        events = selectors.public_events()

    assert [event.slug for event in events] == ["early", "river"]
    assert (events[1].venue, events[1].price_from_krw, events[1].url) == ("난지공원", 66000, "http://river.localhost:8080")
    assert '"data"' not in queries[0]["sql"]
    assert '"manifests"' not in queries[0]["sql"]


def test_revisions_are_listed_without_their_json(system: BookingSystem, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert [(revision.number, revision.created_by.name) for revision in selectors.revisions_of(system)] == [(1, "판매자")]  # type: ignore[union-attr]

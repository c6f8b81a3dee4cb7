"""Changes of shape: what was sold, or is just being paid for, stays with a service that knows of it."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.runtime.errors import Rejected, RuntimeUnavailable
from controlplane.systems import operating, services
from controlplane.systems.archive_models import Archive
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, State
from controlplane.systems.secrets import UnknownKind
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, last, settle

pytestmark = pytest.mark.django_db(transaction=True)


AREAS = {"numbered": False, "areas": [{"id": "floor", "name": "스탠딩", "capacity": 300, "grade": "R"}]}
STANDS = {"paid_tickets_for_coming": 2, "open_payments": 1}


@pytest.mark.parametrize(
    ("changes", "path", "answer", "code", "named"),
    [
        (
            {"seating": AREAS},
            "/api/seat/summary",
            {"performances": [{"id": "p1", "held": 1, "sold": 0}]},
            "would_orphan_seats",
            "2090-01-10 19:30 (1)",
        ),
        ({"payment": "none"}, "/api/ticket/open", STANDS, "would_orphan_payments", "1 payments under way, 2 paid tickets"),
        ({"payment": "none"}, "/api/merch/open", {"paid_orders_to_pick_up": 3}, "would_orphan_payments", "3 paid orders of merchandise"),
        ({"merchandise": False, "products": []}, "/api/merch/open", {"open_payments": 4}, "would_orphan_goods", "4 payments are under way"),
    ],
    ids=["seats become areas", "no payment", "no payment for merchandise", "no merchandise"],
)
def test_a_change_of_shape_that_would_orphan_is_refused_before_anything_is_applied(
    changes: dict[str, Any], path: str, answer: dict[str, Any], code: str, named: str, seller: Any, runtime: SiteRuntime, site: Site
) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", path] = (200, answer)
    runtime.calls.clear()
    site.calls.clear()

    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, code)
    assert named in system.reason
    assert ("apply", system.namespace) not in runtime.calls
    assert site.puts() == []

    del site.answers["GET", path]
    services.system_retry(system=system, acting_user=seller)
    settle(system, runtime)
    assert (system.state, system.reason_code, last(system).state) == (State.LIVE, "", "succeeded")


def is_closed(site: Site, service: str) -> bool:
    """Whether nothing can be begun at SERVICE with the content that it was given last."""
    given = site.content[service]
    return given["sales"]["closes_at"] < "2001" if service == "seat" else not given["products"]


@pytest.mark.parametrize(
    ("changes", "closed", "path", "answer", "code"),
    [
        ({"payment": "none"}, "seat", "/api/seat/summary", {"performances": [{"id": "p1", "held": 2}]}, "bookings_under_way"),
        ({"payment": "none"}, "seat", "/api/ticket/open", {"open_payments": 1}, "would_orphan_payments"),
        ({"payment": "none"}, "merch", "/api/merch/open", {"open_payments": 1}, "would_orphan_payments"),
        ({"merchandise": False, "products": []}, "merch", "/api/merch/open", {"open_payments": 1}, "would_orphan_goods"),
    ],
    ids=["a hold", "an order", "an order of goods", "an order of goods that go"],
)
def test_what_begins_after_the_services_were_asked_stops_the_change_too(
    changes: dict[str, Any],
    closed: str,
    path: str,
    answer: dict[str, Any],
    code: str,
    seller: Any,
    runtime: SiteRuntime,
    site: Site,
) -> None:
    system = deployed(seller, runtime)
    before = dict(site.content)
    runtime.calls.clear()

    def begin(method: str, asked: str) -> None:
        """The last one to begin anything does so just before the service is closed."""
        if (method, asked) == ("PUT", f"/api/{closed}/content"):
            site.answers["GET", path] = (200, answer)

    site.before_answer = begin
    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    settle(system, runtime)

    assert (system.state, system.reason_code) == (State.LIVE, code)
    assert ("apply", system.namespace) not in runtime.calls
    # It is open again for everybody else.
    assert site.content == before
    assert system.content_given == system.content_live

    site.before_answer = lambda method, asked: None
    del site.answers["GET", path]
    services.system_retry(system=system, acting_user=seller)
    settle(system, runtime)
    assert (system.state, last(system).state) == (State.LIVE, "succeeded")


@pytest.mark.parametrize(
    ("changes", "closed"),
    [({"payment": "none"}, {"seat", "merch"}), ({"merchandise": False, "products": []}, {"merch"}), ({"title": "Another"}, set())],
    ids=["no payment", "no merchandise", "no change of shape"],
)
def test_while_what_would_be_orphaned_is_taken_away_nothing_can_begin(
    changes: dict[str, Any], closed: set[str], seller: Any, runtime: SiteRuntime, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = deployed(seller, runtime)
    apply, found = runtime.apply, []

    def look_and_apply(*arguments: Any, **kept: Any) -> None:
        found.append(({service for service in ("seat", "merch") if is_closed(site, service)}, site.calls[-1][0]))
        apply(*arguments, **kept)

    monkeypatch.setattr(runtime, "apply", look_and_apply)
    runtime.raises("preview", RuntimeUnavailable("away"))
    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    settle(system, runtime)

    assert last(system).state == "succeeded"
    assert [shut for shut, _ in found] == [closed]
    if closed:
        assert found[0][1] == "GET", "asked after it was closed"
    open_ones = {"seat", *({"merch"} if system.live_revision.requirement.data["merchandise"] else ())}  # type: ignore[union-attr]
    assert not any(is_closed(site, service) for service in open_ones)


@pytest.mark.parametrize("error", [RuntimeUnavailable("away"), Rejected("unknown field")])
def test_what_was_closed_for_a_change_that_fails_is_opened_again(seller: Any, runtime: SiteRuntime, site: Site, error: Any) -> None:
    system = deployed(seller, runtime)
    before = dict(site.content)
    site.calls.clear()
    runtime.raises("apply", error)

    services.system_update(system=system, requirement=numbered_requirement(payment="none"), acting_user=seller)
    settle(system, runtime)

    if isinstance(error, Rejected):
        assert (system.state, system.reason_code, site.content) == (State.LIVE, "rejected", before)
    else:
        assert last(system).state == "succeeded"
        assert not is_closed(site, "seat")
    assert site.puts().count("seat") == 2, "closed once, opened once"


def test_while_nobody_says_what_is_sold_the_shape_stays(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    site.answers["GET", "/api/ticket/open"] = (502, {})
    runtime.calls.clear()

    services.system_update(system=system, requirement=numbered_requirement(payment="none"), acting_user=seller)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    assert ("apply", system.namespace) not in runtime.calls
    del site.answers["GET", "/api/ticket/open"]
    assert settle(system, runtime).state == State.LIVE
    assert last(system).state == "succeeded"


def test_a_system_that_rests_keeps_its_shape(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    operating.system_suspend(system=system, acting_user=seller)
    settle(system, runtime)
    services.system_update(system=system, requirement=numbered_requirement(payment="none"), acting_user=seller)
    settle(system, runtime)

    assert (last(system).state, last(system).reason_code) == ("failed", "shape_while_suspended")
    assert system.live_revision
    assert system.live_revision.requirement.data["payment"] == "kakaopay"


def changed(system: BookingSystem, runtime: SiteRuntime, seller: Any, **changes: Any) -> BookingSystem:
    services.system_update(system=system, requirement=numbered_requirement(**changes), acting_user=seller)
    return settle(system, runtime)


def runs_with(runtime: SiteRuntime, system: BookingSystem) -> str:
    """Which way of paying the ticket service was given that runs."""
    objects = runtime.systems[system.namespace].objects
    found = next(item for item in objects if (item["kind"], item["metadata"]["name"]) == ("Deployment", "ticket"))
    return "none" if "no-kakao" in found["spec"]["template"]["spec"]["containers"][0]["image"] else "kakaopay"


FREE: dict[str, Any] = {"payment": "none", "merchandise": False, "products": []}


def test_a_later_change_may_not_orphan_what_the_one_before_it_has_sold_halfway(seller: Any, site: Site) -> None:
    """The live revision takes no payment, and neither does what is wanted now; what is being rolled out takes some already."""
    runtime = SiteRuntime(site, ready_after=3)
    system = deployed(seller, runtime, numbered_requirement(**FREE))
    services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller)
    converge(system.pk, runtime=runtime)
    assert (last(system).state, runs_with(runtime, system)) == ("running", "kakaopay")

    site.answers["GET", "/api/ticket/open"] = (200, STANDS)
    changed(system, runtime, seller, title="새 제목", **FREE)

    assert (last(system).state, last(system).reason_code) == ("failed", "would_orphan_payments")
    assert runs_with(runtime, system) == "kakaopay", "whoever could give the money back goes on running"
    assert (system.state, system.reason_code) == (State.LIVE, "would_orphan_payments")

    del site.answers["GET", "/api/ticket/open"]
    settle(system, runtime)
    settle(system, runtime)
    assert runs_with(runtime, system) == "none"
    assert not is_closed(site, "seat")
    assert system.live_revision
    assert system.live_fingerprint == runtime.observe(system.ref).fingerprint


def test_the_live_revision_waits_until_what_a_failed_change_sold_is_settled(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime, numbered_requirement(**FREE))
    site.answers["POST", "/api/seat/probe"] = (409, {})
    site.answers["GET", "/api/ticket/open"] = (200, {"open_payments": 1})

    changed(system, runtime, seller)
    assert (last(system).reason_code, system.reason_code) == ("check_probe", "would_orphan_payments")
    assert runs_with(runtime, system) == "kakaopay"

    site.answers["GET", "/api/ticket/open"] = (200, {"open_payments": 0})
    settle(system, runtime)
    settle(system, runtime)
    assert runs_with(runtime, system) == "none"
    assert (system.state, system.reason_code) == (State.LIVE, "check_probe"), "the reason of the change is told again"
    assert not is_closed(site, "seat")
    assert system.content_given == system.content_live

    # It was taken back: what is held now is nobody's business of the next change.
    del site.answers["POST", "/api/seat/probe"]
    site.answers["GET", "/api/seat/summary"] = (200, {"performances": [{"id": "p1", "held": 2}]})
    changed(system, runtime, seller, title="새 제목", **FREE)
    assert last(system).state == "succeeded"


def test_a_service_that_stays_silent_does_not_keep_the_live_revision_away(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime, numbered_requirement(**FREE))
    site.answers["GET", "/api/ticket/open"] = (503, {})
    runtime.will_fail(system.namespace, "ticket")
    changed(system, runtime, seller)
    assert runs_with(runtime, system) == "kakaopay"

    for _ in range(6):
        settle(system, runtime)
    assert runs_with(runtime, system) == "none"
    assert (system.state, system.reason_code) == (State.LIVE, "workload_failed")


def test_what_was_closed_stays_so_until_the_change_that_took_over_runs(seller: Any, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """No place is sold for nothing by the copies of a change that somebody thought better of."""
    runtime = SiteRuntime(site, ready_after=3)
    system = deployed(seller, runtime)
    services.system_update(system=system, requirement=numbered_requirement(**FREE), acting_user=seller)
    converge(system.pk, runtime=runtime)
    assert runs_with(runtime, system) == "none"
    assert is_closed(site, "seat")

    apply, closed = runtime.apply, []

    def look_and_apply(*arguments: Any, **kept: Any) -> None:
        apply(*arguments, **kept)
        closed.append(is_closed(site, "seat"))

    monkeypatch.setattr(runtime, "apply", look_and_apply)
    changed(system, runtime, seller, limit_per_buyer=2)

    assert (last(system).state, runs_with(runtime, system), closed) == ("succeeded", "kakaopay", [True])
    assert site.content["seat"]["limit_per_buyer"] == 2
    assert not is_closed(site, "seat")


GOODS = [{"id": "m1", "number": "M-1", "buyer": "kim"}]
PAID = [{"id": "1", "order": "m1", "kind": "capture", "amount_krw": 15000}]


def sells_goods(site: Site) -> None:
    site.answers |= {
        ("GET", "/api/merch/summary"): (200, {"orders": 1, "captured_krw": 15000, "refunded_krw": 0, "open_refunds": 0}),
        ("GET", "/api/merch/export/orders"): (200, {"rows": GOODS, "next": None}),
        ("GET", "/api/merch/export/payments"): (200, {"rows": PAID, "next": None}),
    }


def is_gone(site: Site) -> None:
    """The merch service: nothing leads to it any more."""
    for what in ("summary", "open", "export/orders", "export/items", "export/payments", "export/refunds"):
        site.answers["GET", f"/api/merch/{what}"] = (404, {})


@pytest.mark.parametrize("how", ["asked for", "a change that failed"])
def test_merchandise_that_goes_leaves_its_sales_to_the_archive(how: str, seller: Any, runtime: SiteRuntime, site: Site) -> None:
    free = {"merchandise": False, "products": []}
    if how == "asked for":
        system = deployed(seller, runtime)
        sells_goods(site)
        changed(system, runtime, seller, **free)
        assert last(system).state == "succeeded"
    else:
        system = deployed(seller, runtime, numbered_requirement(**free))
        sells_goods(site)
        site.answers["POST", "/api/seat/probe"] = (409, {})
        changed(system, runtime, seller)
        assert last(system).reason_code == "check_probe"
        settle(system, runtime)
    is_gone(site)
    site.answers.pop(("POST", "/api/seat/probe"), None)
    assert system.archive.state == Archive.State.RUNNING, "nothing to look at while the event lives"

    services.system_delete(system=system, typed_name="little", acting_user=seller)
    settle(system, runtime)

    archive = Archive.objects.get(system=system)
    assert (system.state, archive.state, archive.pseudonym_key) == (State.DELETED, Archive.State.COMPLETE, "")
    assert [row.data for row in archive.rows.filter(table="merch/payments")] == PAID
    assert archive.counts["merch/orders"] == 1
    assert archive.summaries["merch"]["captured_krw"] == 15000
    buyer = archive.rows.get(table="merch/orders").data["buyer"]
    assert buyer.startswith("buyer-")
    assert "kim" not in buyer


def test_merchandise_that_comes_back_is_asked_itself_again(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    sells_goods(site)
    changed(system, runtime, seller, merchandise=False, products=[])
    changed(system, runtime, seller)
    assert last(system).state == "succeeded"
    more = [*PAID, {"id": "2", "order": "m1", "kind": "refund", "amount_krw": 15000}]
    site.answers["GET", "/api/merch/summary"] = (200, {"orders": 0, "captured_krw": 15000, "refunded_krw": 15000, "open_refunds": 0})
    site.answers["GET", "/api/merch/export/payments"] = (200, {"rows": more, "next": None})

    services.system_delete(system=system, typed_name="little", acting_user=seller)
    settle(system, runtime)

    assert system.state == State.DELETED
    assert [row.data for row in system.archive.rows.filter(table="merch/payments")] == more


def test_while_what_goes_does_not_give_its_sales_away_it_stays(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    system = deployed(seller, runtime)
    sells_goods(site)
    site.answers["GET", "/api/merch/export/payments"] = (502, {})
    services.system_update(system=system, requirement=numbered_requirement(merchandise=False, products=[]), acting_user=seller)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    assert "merch" in {workload.name for workload in runtime.observe(system.ref).workloads}

    site.answers["GET", "/api/merch/export/payments"] = (200, {"rows": PAID, "next": None})
    settle(system, runtime)
    assert last(system).state == "succeeded"
    assert system.archive.counts["merch/payments"] == 1


def test_a_change_that_never_reached_the_runtime_stands_in_nobodys_way(seller: Any, runtime: SiteRuntime, site: Site) -> None:
    """Merchandise was to come, and the cluster was away: there is no merch service that could be asked what it sold."""
    system = deployed(seller, runtime, numbered_requirement(**FREE))
    is_gone(site)
    site.answers["PUT", "/api/merch/content"] = (404, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("controlplane.systems.deploying.secrets_for", lambda *_: (_ for _ in ()).throw(UnknownKind("sign-in:x")))
        changed(system, runtime, seller)
    assert (last(system).state, last(system).reason_code) == ("failed", "broken_plan")

    changed(system, runtime, seller, title="새 제목", **FREE)

    assert last(system).state == "succeeded"

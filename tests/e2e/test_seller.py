"""What a seller does with a live event, with real services: edits, refusals that name the place, calling off, and the archive after it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.controlplane import areas_requirement, numbered_requirement, plan
from tests.stack import Stack, until


class Seller:
    """The example seller's program."""

    def __init__(self, clove: Stack) -> None:
        self.clove = clove
        self.session = clove.api()

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, f"{self.clove.portal}/api/v1/{path}", json=body, timeout=30)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def opened(self, requirement: dict[str, Any]) -> int:
        """The id of a booking system that was deployed and is live."""
        answer = self.call("POST", "systems", {"requirement": requirement})
        assert answer.status_code == 201, answer.text
        system_id = int(answer.json()["id"])
        until("live", lambda: self.get(f"systems/{system_id}")["state"] == "live")
        return system_id

    def outcome(self, answer: requests.Response) -> Any:
        """The operation that ANSWER has started, when it has ended."""
        assert answer.status_code == 202, answer.text
        path = answer.headers["Location"].removeprefix("/api/v1/")
        until("the operation's end", lambda: self.get(path)["state"] != "running")
        return self.get(path)


def test_an_event_is_edited_called_off_and_leaves_its_sales_behind(clove: Stack) -> None:
    seller = Seller(clove)
    system = seller.opened(numbered_requirement(slug="seller-numbered", limit_per_buyer=2, refund_policy="consumer_standard"))
    site = clove.site("seller-numbered")
    site.sign_up("seller-numbered@example.kr")
    order = site.buy(site.hold_any())
    assert order["status"] == "ISSUED"
    assert site.get("/api/ticket/terms")["policy"]["free"] == {"within_hours": 24, "min_days_before": 3}

    # Buyers see an edit at once, and no operation runs for it.
    assert seller.call("PATCH", f"systems/{system}/event", {"description": "우천 시에도 합니다"}).status_code == 200
    assert site.get("/api/event/")["description"] == "우천 시에도 합니다"

    # A change that would take the sold seat away is refused by the seat's name, and nothing has changed.
    wanted = seller.get(f"systems/{system}/requirement")
    assert wanted["description"] == "우천 시에도 합니다"
    smaller = plan(4)
    del smaller["zones"][0]["rows"][0]["seats"][0]
    refused = seller.outcome(
        seller.call("PUT", f"systems/{system}/requirement", {"requirement": {**wanted, "seating": {"numbered": True, "plan": smaller}}})
    )
    assert (refused["state"], refused["reason"]["code"]) == ("failed", "would_orphan")
    assert order["places"][0]["label"] in refused["reason"]["message"]
    assert len(site.get("/api/seat/plan")["zones"][0]["rows"][0]["seats"]) == 4

    # So is one that somebody holds, and one that is being paid for.
    other = clove.site("seller-numbered")
    other.sign_up("seller-numbered-2@example.kr")
    hold = other.hold_any(skip=1)
    for begins in (lambda: None, lambda: other.call("POST", "/api/ticket/orders", json={"hold_id": hold["id"]})):
        begun = begins()
        lacking = plan(4)
        del lacking["zones"][0]["rows"][0]["seats"][1]
        asked = {"requirement": {**wanted, "seating": {"numbered": True, "plan": lacking}}}
        refused = seller.outcome(seller.call("PUT", f"systems/{system}/requirement", asked))
        assert (refused["state"], refused["reason"]["code"]) == ("failed", "would_orphan")
        assert hold["places"][0]["label"] in refused["reason"]["message"]
    assert begun is not None
    assert begun.json()["status"] == "PAYING"

    # And another shape, which would know nothing of them.
    areas = {"numbered": False, "areas": [{"id": "floor", "name": "스탠딩", "capacity": 300, "grade": "R"}]}
    for change, code, named in (
        ({"seating": areas}, "would_orphan_seats", "2090-01-10 19:30 (2)"),
        ({"payment": "none"}, "would_orphan_payments", "1 payments under way, 1 paid tickets"),
    ):
        refused = seller.outcome(seller.call("PUT", f"systems/{system}/requirement", {"requirement": {**wanted, **change}}))
        assert (refused["state"], refused["reason"]["code"]) == ("failed", code), refused["reason"]
        assert named in refused["reason"]["message"]
    assert site.get(f"/api/ticket/orders/{order['id']}")["status"] == "ISSUED"
    given_up = other.call("POST", f"/api/ticket/orders/{begun.json()['id']}/cancel")
    assert given_up.status_code == 200
    assert other.call("DELETE", f"/api/seat/holds/{hold['id']}").status_code == 204

    # Seats that nobody has are taken off sale, and one is a wheelchair's; the sold one is not.
    taken = order["places"][0]["seat"]
    free = [guid for guid, *_ in site.get("/api/seat/plan")["zones"][0]["rows"][0]["seats"] if guid != taken]
    refused = seller.outcome(
        seller.call(
            "PUT", f"systems/{system}/requirement", {"requirement": {**wanted, "seating": {**wanted["seating"], "blocked": [taken]}}}
        )
    )
    assert (refused["state"], refused["reason"]["code"]) == ("failed", "would_orphan")
    marked = {**wanted["seating"], "blocked": free[:2], "wheelchair": free[2:]}
    assert seller.outcome(seller.call("PUT", f"systems/{system}/requirement", {"requirement": {**wanted, "seating": marked}}))["state"] == (
        "succeeded"
    )
    assert site.get("/api/seat/performances/p1/availability")["state"].count("3") == 2
    seats = site.get("/api/seat/plan")["zones"][0]["rows"][0]["seats"]
    assert [guid for guid, *_, flags in seats if flags == 1] == free[2:]

    # At one performance alone it holds at once, without a deployment; not for the sold seat either.
    address = f"systems/{system}/performances/p1/off-sale"
    assert seller.get(address) == {"seats": free[:2]}
    assert seller.call("PUT", address, {"seats": [taken]}).json()["code"] == "would_orphan"
    assert seller.call("PUT", address, {"seats": ["Z-9"]}).json()["code"] == "unknown_seat"
    assert seller.call("PUT", address, {"seats": free}).json() == {"seats": free}
    until("buyers see it", lambda: site.get("/api/seat/performances/p1/availability")["state"].count("3") == 3)

    # Refused is deleting it, too, and calling a performance off by another name.
    assert seller.call("DELETE", f"systems/{system}?name=seller-numbered").json()["code"] == "paid_tickets_stand"
    address = f"systems/{system}/performances/p1/cancellation"
    assert seller.call("POST", address, {"name": "p1"}).json()["code"] == "performance_name_differs"
    assert seller.call("POST", address, {"name": "2090-01-10 19:30"}).status_code == 202
    until("everybody's refund", lambda: seller.get(address)["is_over"])
    statement = seller.get(f"systems/{system}/settlement")
    assert (statement["captured_krw"], statement["refunded_krw"], statement["kept_krw"]) == (120_000, 120_000, 0)
    assert statement["compensation_krw"] == 12_000

    gone = seller.outcome(seller.call("DELETE", f"systems/{system}?name=seller-numbered"))
    assert gone["state"] == "succeeded", gone
    archive = seller.get(f"systems/{system}/archive")
    assert archive["state"] == "complete"
    assert {name: archive["tables"][f"ticket/{name}"] for name in ("orders", "tickets", "payments", "refunds")} == {
        "orders": 2,
        "tickets": 1,
        "payments": 2,
        "refunds": 1,
    }
    assert archive["settlement"]["kept_krw"] == 0
    kept = seller.get(f"systems/{system}/archive/ticket/orders")["results"]
    assert [each["number"] for each in kept if each["state"] == "REFUNDED"] == [order["number"]]
    assert "김하나" not in str(kept)


def test_an_area_with_a_sold_place_is_not_taken_away(clove: Stack) -> None:
    seller = Seller(clove)
    system = seller.opened(areas_requirement(slug="seller-areas", payment="none"))
    site = clove.site("seller-areas")
    site.sign_up("seller-areas@example.kr")
    assert site.buy(site.hold_any())["status"] == "ISSUED"

    wanted = seller.get(f"systems/{system}/requirement")
    other = {"numbered": False, "areas": [{"id": "lawn", "name": "잔디", "capacity": 300, "grade": "GA"}]}
    refused = seller.outcome(seller.call("PUT", f"systems/{system}/requirement", {"requirement": {**wanted, "seating": other}}))

    assert (refused["state"], refused["reason"]["code"]) == ("failed", "would_orphan")
    assert "스탠딩" in refused["reason"]["message"]
    assert seller.get(f"systems/{system}")["state"] == "live"
    assert [area["id"] for area in site.get("/api/seat/plan")["areas"]] == ["floor"]


@pytest.mark.slow
def test_a_system_whose_data_somebody_took_away_sells_nothing_until_they_are_back(clove: Stack) -> None:
    seller = Seller(clove)
    system = seller.opened(numbered_requirement(slug="seller-bereft", payment="none", merchandise=False, products=[]))
    site = clove.site("seller-bereft")
    site.sign_up("seller-bereft@example.kr")
    sold = site.buy(site.hold_any())["places"][0]["seat"]
    marks = f"from controlplane.systems.models import *; print(BookingSystem.objects.get(pk={system}).data_marks)"
    until("what its data are in is noted", lambda: "seat-data" in clove.manage("shell", "-c", marks), every_s=1)
    volume = clove.home / "runtime" / f"clove-{system}" / "volumes" / "seat-data"
    elsewhere = volume.rename(clove.home / "taken-away")

    until("it is noticed", lambda: seller.get(f"systems/{system}")["state"] == "data_gone", timeout_s=60, every_s=0.5)
    until("it is closed", lambda: site.call("GET", "/api/seat/plan").status_code == 503, timeout_s=60, every_s=0.5)
    assert seller.get(f"systems/{system}")["reason"]["params"] == {"volumes": "seat-data"}
    assert seller.call("POST", f"systems/{system}/services/seat/restart").status_code == 409
    assert not volume.exists()

    elsewhere.rename(volume)
    until("it goes on", lambda: seller.get(f"systems/{system}")["state"] == "live", timeout_s=90, every_s=0.5)
    until("it sells", lambda: site.call("GET", "/api/seat/plan").status_code == 200, timeout_s=60, every_s=0.5)
    (performance,) = site.get("/api/seat/performances")
    again = site.call("POST", f"/api/seat/performances/{performance['id']}/holds", json={"seats": [sold]})
    assert (again.status_code, again.json()["code"]) == (409, "seats_taken")

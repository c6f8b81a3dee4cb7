"""What the seller's staff and the other services ask of ticket."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from booking_templates.kit.db import clock
from booking_templates.payments import erasure
from booking_templates.ticket.models import Order, Ticket
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
Buy = Callable[..., str]
URL = "/api/ticket"


def content(**changes: Any) -> dict[str, Any]:
    performances = [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00", "ends_at": None}]
    known = {"title": "오페라의 유령", "venue": "샤롯데씨어터", "performances": performances}
    return {**known, "cancel_until": None, "sales_close_at": None, "refund_policy": "full", **changes}


def test_content_is_put_and_read(staff_client: Any) -> None:
    assert staff_client.put(f"{URL}/content", content(), content_type=JSON).json() == content()
    assert staff_client.put(f"{URL}/content", content(), content_type=JSON).status_code == 200
    assert staff_client.get(f"{URL}/content").json() == content()


def test_what_is_left_out_of_content_stays_as_it_is(staff_client: Any) -> None:
    rules = {"tiers": [{"days_before": 3, "percent": 20, "flat_krw": 0, "flat_max_percent": 100}], "free": None, "cut_off": None}
    told = content(refund_policy=rules, sales_close_at="2027-01-10T18:30:00+09:00")
    assert staff_client.put(f"{URL}/content", told, content_type=JSON).json() == told
    short = {"title": "새 제목", "performances": told["performances"]}
    assert staff_client.put(f"{URL}/content", short, content_type=JSON).json() == told | {"title": "새 제목", "venue": ""}


def test_the_providers_page_names_the_event(
    staff_client: Any, buyer_client: Any, buyer_id: str, provider: FakeProvider, seat: FakeSeat
) -> None:
    staff_client.put(f"{URL}/content", content(), content_type=JSON)
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=3)}, content_type=JSON).json()
    assert provider.payments[tid_of(order["id"])].purchase.item_name == "오페라의 유령 R +2"


def test_a_performance_with_live_tickets_cannot_be_left_out(staff_client: Any, buyer_client: Any, buy: Buy) -> None:
    order_id = buy()
    without = content(performances=[{"id": "p2", "starts_at": "2027-01-11T19:30:00+09:00"}])
    answer = staff_client.put(f"{URL}/content", without, content_type=JSON)
    assert (answer.status_code, answer.json()["code"], answer.json()["performances"]) == (409, "would_orphan", ["p1"])
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    assert staff_client.put(f"{URL}/content", without, content_type=JSON).status_code == 200


@pytest.mark.parametrize(
    "bad",
    [
        {"title": ""},
        {"refund_policy": "none"},
        {"refund_policy": {"tiers": [{"days_before": -1}]}},
        {"title": "x" * 201},
        {"performances": [{"id": "p1"}]},
        {"performances": [{"id": "p1", "starts_at": "2027-01-10T19:30"}]},
    ],
)
def test_bad_content_is_refused(staff_client: Any, bad: dict[str, Any]) -> None:
    answer = staff_client.put(f"{URL}/content", content(**bad), content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"]


def test_attendees_are_searched_and_paged(staff_client: Any, client_for: Callable[[str], Any], keys: Any, buy: Buy, seat: FakeSeat) -> None:
    for name, performance in (("김철수", "p1"), ("이영희", "p1"), ("Park Minsu", "p2")):
        buyer = str(uuid.uuid4())
        client = client_for(keys.buyer_token(buyer, name=name))
        buy(client=client, hold_id=seat.hold(buyer, seats=2, performance_id=performance))

    def found(**query: Any) -> list[str]:
        return [row["buyer_name"] for row in staff_client.get(f"{URL}/attendees", query).json()["attendees"]]

    assert len(found()) == 6
    assert set(found(performance="p2")) == {"Park Minsu"}
    assert found(q="영희") == ["이영희"] * 2
    assert found(q="park p2") == []
    number = Order.objects.get(buyer_name="김철수").number
    assert found(q=number[:6]) == ["김철수"] * 2
    label = Ticket.objects.filter(order__buyer_name="이영희").first()
    assert label is not None
    assert found(q=f"이영희 {label.label}") == ["이영희"]
    assert found(q="100%_") == []
    page = staff_client.get(f"{URL}/attendees", {"page": 2}).json()
    assert (page["attendees"], page["page"], page["pages"], page["total"]) == ([], 2, 1, 6)
    assert staff_client.get(f"{URL}/attendees", {"page": 0}).status_code == 422


def test_a_buyer_can_be_looked_for_without_standing_in_an_address(
    staff_client: Any, buyer_client: Any, client: Any, buyer_id: str, client_for: Callable[[str], Any], keys: Any, buy: Buy, seat: FakeSeat
) -> None:
    buy(client=client_for(keys.buyer_token(buyer_id, name="김철수")), hold_id=seat.hold(buyer_id, seats=2))
    buy(client=client_for(keys.buyer_token(buyer_id, name="이영희")), hold_id=seat.hold(buyer_id, seats=1))
    wanted = {"q": "김철수", "performance": "p1"}

    found = staff_client.post(f"{URL}/attendees", wanted | {"page": 1}, content_type=JSON)
    assert (found.status_code, found.json()) == (200, staff_client.get(f"{URL}/attendees", wanted).json())
    assert found.json()["total"] == 2
    for kind in ("csv", "xlsx"):
        asked = staff_client.post(f"{URL}/attendees.{kind}", wanted, content_type=JSON)
        plain = staff_client.get(f"{URL}/attendees.{kind}", wanted)
        assert (asked["Content-Type"], asked["Content-Disposition"]) == (plain["Content-Type"], plain["Content-Disposition"])
        rows = b"".join(asked.streaming_content)
        assert rows.count("김철수".encode()) == (2 if kind == "csv" else 0)
        assert len(rows) == len(b"".join(plain.streaming_content))
    for name in ("attendees", "attendees.csv", "attendees.xlsx"):
        assert client.post(f"{URL}/{name}", wanted, content_type=JSON).status_code == 401
        assert buyer_client.post(f"{URL}/{name}", wanted, content_type=JSON).status_code == 403
        bad = staff_client.post(f"{URL}/{name}", {"name": "김철수"}, content_type=JSON)
        assert (bad.status_code, list(bad.json()["errors"])) == (422, ["name"])


def test_a_name_is_found_however_its_letters_were_composed(
    staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat
) -> None:
    for name in ("\u1100\u1175\u11b7 \u1112\u1161\u1102\u1161", " 김\u202e\t하나 ", "  "):
        hold = seat.hold(buyer_id, seats=1)
        assert buyer_client.post(f"{URL}/orders", {"hold_id": hold, "name": name}, content_type=JSON).status_code == 201
    assert list(Order.objects.order_by("pk").values_list("buyer_name", flat=True)) == ["김 하나", "김 하나", "김클로"]
    buy(hold_id=Order.objects.order_by("pk")[0].hold_id)
    assert len(staff_client.get(f"{URL}/attendees", {"q": "하나"}).json()["attendees"]) == 1
    assert len(staff_client.get(f"{URL}/attendees", {"q": "\u1112\u1161\u1102\u1161"}).json()["attendees"]) == 1


@pytest.mark.parametrize("stored", ["01012345678", "010-1234-5678", "+82 10-1234-5678"])
@pytest.mark.parametrize("typed", ["010-1234-5678", "01012345678", "5678", "1234-5678", "(010) 1234 5678"])
def test_a_phone_number_is_found_with_hyphens_or_without(staff_client: Any, buy: Buy, stored: str, typed: str) -> None:
    Order.objects.filter(pk=buy(seats=1)).update(buyer_phone=stored)
    Order.objects.filter(pk=buy(seats=1)).update(buyer_phone="01099990000")
    wanted = 0 if stored.startswith("+82") and "010" in typed else 1
    assert staff_client.get(f"{URL}/attendees", {"q": typed}).json()["total"] == wanted


def test_attendees_come_in_pages_of_fifty(staff_client: Any, buyer_id: str, buy: Buy) -> None:
    buy(seats=60)
    sizes = [len(staff_client.get(f"{URL}/attendees", {"page": page}).json()["attendees"]) for page in (1, 2, 3)]
    assert sizes == [50, 10, 0]


def test_the_summary_is_the_ledgers(staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat) -> None:
    buy(seats=2)
    cancelled = buy(hold_id=seat.hold(buyer_id, seats=1, performance_id="p2"))
    buyer_client.post(f"{URL}/orders/{cancelled}/cancel")
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    assert staff_client.get(f"{URL}/summary").json() == {
        "orders": 1,
        "tickets": 2,
        "captured_krw": 450_000,
        "refunded_krw": 150_000,
        "outside_krw": 0,
        "due_krw": 0,
        "taken_at_door_krw": 0,
        "to_give_back_at_door_krw": 0,
        "open_refunds": 0,
        "by_performance": [{"performance_id": "p1", "orders": 1, "tickets": 2, "price_krw": 300_000}],
    }


def test_what_is_due_at_the_door_is_not_captured(
    staff_client: Any, buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat
) -> None:
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    summary = staff_client.get(f"{URL}/summary").json()
    assert (summary["captured_krw"], summary["due_krw"], summary["tickets"]) == (0, 300_000, 2)


def test_tickets_that_nothing_was_paid_for_are_open_business_too(
    staff_client: Any, buyer_client: Any, buyer_id: str, no_provider: None, seat: FakeSeat
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    assert staff_client.get(f"{URL}/open").json() == {"tickets_for_coming": 2, "paid_tickets_for_coming": 0, "open_payments": 0}
    staff_client.post(f"{URL}/bookings/{order}/refunds", {"fee_krw": 0, "why": "other"}, content_type=JSON)
    assert staff_client.get(f"{URL}/open").json()["tickets_for_coming"] == 0


def test_open_business_is_tickets_for_coming_performances_and_open_payments(
    staff_client: Any, buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat
) -> None:
    assert staff_client.get(f"{URL}/open").json() == {"tickets_for_coming": 0, "paid_tickets_for_coming": 0, "open_payments": 0}
    buy(seats=2)
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    assert staff_client.get(f"{URL}/open").json() == {"tickets_for_coming": 2, "paid_tickets_for_coming": 2, "open_payments": 1}
    past = [{"id": "p1", "starts_at": (clock() - timedelta(hours=1)).isoformat()}]
    staff_client.put(f"{URL}/content", content(performances=past), content_type=JSON)
    assert staff_client.get(f"{URL}/open").json() == {"tickets_for_coming": 0, "paid_tickets_for_coming": 0, "open_payments": 1}


@pytest.mark.parametrize("path", ["content", "attendees", "summary", "open"])
def test_staff_need_their_scope(client: Any, buyer_client: Any, client_for: Callable[[str], Any], keys: Any, path: str) -> None:
    assert client.get(f"{URL}/{path}").status_code == 401
    assert buyer_client.get(f"{URL}/{path}").status_code == 403
    answer = client_for(keys.staff_token("probe")).get(f"{URL}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def erase(service_client: Callable[[str], Any], buyer_id: str, *, caller: str = "auth") -> Any:
    return service_client(caller).post(f"/internal/buyers/{buyer_id}/erase")


def test_an_erased_buyer_is_nowhere_and_the_money_stays(
    staff_client: Any, service_client: Callable[[str], Any], buyer_client: Any, buyer_id: str, buy: Buy, seat: FakeSeat
) -> None:
    issued = buy()
    paying = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id), "phone": "010-1"}, content_type=JSON).json()["id"]
    before = staff_client.get(f"{URL}/summary").json()
    assert erase(service_client, buyer_id).json() == {"orders": 2}
    assert erase(service_client, buyer_id).json() == {"orders": 0}
    rows = Order.objects.values_list("buyer_id", "buyer_name", "buyer_phone", "idempotency_key")
    assert len(set(rows)) == 1
    assert rows[0][0].startswith("erased-")
    assert rows[0][1:] == ("", "", None)
    assert (Order.objects.get(pk=issued).state, Order.objects.get(pk=paying).state) == ("ISSUED", "CANCELLED")
    assert staff_client.get(f"{URL}/summary").json() == before
    assert buyer_client.get(f"{URL}/orders").json()["orders"] == []


def test_erasing_waits_for_a_payment_that_is_being_decided(
    client: Any,
    service_client: Callable[[str], Any],
    buyer_client: Any,
    buyer_id: str,
    provider: FakeProvider,
    seat: FakeSeat,
    recover: Callable[[], None],
) -> None:
    order_id = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"]
    provider.faults |= {"approve": ["5xx"], "order": ["unreached"]}
    client.get(f"{URL}/payments/{order_id}/approved", {"pg_token": provider.authenticate(tid_of(order_id))})
    assert erase(service_client, buyer_id).json()["code"] == "payment_in_progress"
    recover()
    assert erase(service_client, buyer_id).json() == {"orders": 1}
    assert Order.objects.get().state == "ISSUED"


def test_what_is_ordered_while_the_buyer_is_erased_keeps_them_until_it_is_decided(
    service_client: Callable[[str], Any],
    buyer_client: Any,
    buyer_id: str,
    buy: Buy,
    seat: FakeSeat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The provider was told this buyer's id and asks for the same one when the payment is approved."""
    issued, later = buy(), []

    def pseudonym(_length: int) -> str:
        later.append(buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"])
        return "0" * 24

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(erasure, "secrets", SimpleNamespace(token_hex=pseudonym))
        assert erase(service_client, buyer_id).json()["code"] == "payment_in_progress"
    assert Order.objects.get(pk=issued).buyer_id.startswith("erased-")
    assert Order.objects.get(pk=later[0]).buyer_id == buyer_id
    assert erase(service_client, buyer_id).json() == {"orders": 1}, "it is told again, and nothing waits any more"
    assert not Order.objects.filter(buyer_id=buyer_id).exists()


def test_only_auth_may_erase(client: Any, buyer_client: Any, service_client: Callable[[str], Any], buyer_id: str) -> None:
    assert erase(service_client, buyer_id, caller="seat").status_code == 403
    assert client.post(f"/internal/buyers/{buyer_id}/erase").status_code == 401
    assert buyer_client.post(f"/internal/buyers/{buyer_id}/erase").status_code in (401, 404)
    outside = service_client("auth").post(f"/internal/buyers/{buyer_id}/erase", headers={"X-Forwarded-For": "1.2.3.4"})
    assert outside.status_code == 404


def test_the_openapi_document_names_every_public_path_and_no_internal_one(client: Any) -> None:
    paths = client.get(f"{URL}/openapi.json").json()["paths"]
    assert f"{URL}/orders/{{order_id}}/cancel" in paths
    assert not [path for path in paths if "erase" in path]


def test_the_openapi_document_says_what_takes_a_scanners_key(client: Any) -> None:
    document = client.get(f"{URL}/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["scanner_key"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-Scanner-Key")
    keyed = {
        path for path, methods in document["paths"].items() for each in methods.values() if each.get("security") == [{"scanner_key": []}]
    }
    assert keyed == {f"{URL}/door", f"{URL}/door/payments", f"{URL}/scans"}


def test_a_field_of_content_that_is_not_known_is_refused_by_name(staff_client: Any) -> None:
    staff_client.put(f"{URL}/content", content(), content_type=JSON)
    for unknown, field in (
        (content(sales_closes_at="2027-01-10T18:30:00+09:00"), "sales_closes_at"),
        (content(performances=[{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00", "end": "?"}]), "performances[0].end"),
    ):
        answer = staff_client.put(f"{URL}/content", unknown, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert list(answer.json()["errors"]) == [field]
    assert staff_client.get(f"{URL}/content").json() == content()


def test_the_openapi_document_says_what_content_and_an_order_take(client: Any) -> None:
    document = client.get(f"{URL}/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert [schemas[name]["additionalProperties"] for name in ("Content", "PerformanceContent")] == [False, False]
    headers = [each for each in document["paths"][f"{URL}/orders"]["post"]["parameters"] if each["in"] == "header"]
    assert [(each["name"], each["required"], each["schema"]["maxLength"]) for each in headers] == [("Idempotency-Key", False, 100)]
    assert "day" not in headers[0]["description"]

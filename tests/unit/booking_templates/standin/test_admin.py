"""Faults and the ledger, behind the admin key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from booking_templates.standin.faults import faults
from booking_templates.standin.models import Payment
from tests.unit.booking_templates.standin.conftest import ADMIN_KEY, Shop

JSON = "application/json"


def switch_on(admin: Client, fault: str, operation: str = "approve", **more: Any) -> None:
    answer = admin.post("/admin/faults", {"fault": fault, "operation": operation, **more}, content_type=JSON)
    assert answer.status_code == 200, answer.content


def status(tid: str) -> str:
    return Payment.objects.get(pk=tid).status


def test_without_the_key_nobody_comes_in(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/admin/ledger", "/admin/faults"):
        assert client.get(path).status_code == 403
        assert client.get(path, headers={"X-Admin-Key": "wrong"}).status_code == 403
    monkeypatch.delenv("STANDIN_ADMIN_KEY")
    assert client.get("/admin/ledger", headers={"X-Admin-Key": ""}).status_code == 404


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_web_page_is_turned_away_even_with_the_key(header: dict[str, str]) -> None:
    answer = Client(headers={"X-Admin-Key": ADMIN_KEY, **header}).post("/admin/faults", {"fault": "5xx"}, content_type=JSON)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer
    assert faults.listed() == []


def test_from_outside_it_is_not_there(admin: Client) -> None:
    assert admin.get("/admin/ledger", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 404


def test_the_ledger_lists_payments_and_money(admin: Client, shop: Shop, captured: str) -> None:
    shop.cancel(captured, 100_000)
    shop.ready(partner_order_id="o-2")
    (payment,) = admin.get("/admin/ledger", {"partner_order_id": "o-1"}).json()["payments"]
    assert (payment["tid"], payment["status"], payment["captured_amount"], payment["canceled_amount"]) == (
        captured,
        "PART_CANCEL_PAYMENT",
        300_000,
        100_000,
    )
    assert [(action["type"], action["amount"]) for action in payment["actions"]] == [("PAYMENT", 300_000), ("CANCEL", 100_000)]
    assert len(admin.get("/admin/ledger").json()["payments"]) == 2


def test_the_ledger_comes_in_pages(admin: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from booking_templates.standin import admin as module

    monkeypatch.setattr(module, "PAGE", 2)
    made = sorted(shop.ready().json()["tid"] for _ in range(5))
    seen, after = [], ""
    while True:
        page = admin.get("/admin/ledger", {"after": after}).json()
        seen += [payment["tid"] for payment in page["payments"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == made


def test_5xx_does_nothing_and_5xx_after_has_done_it(admin: Client, shop: Shop, authenticated: tuple[str, str]) -> None:
    switch_on(admin, "5xx")
    assert shop.approve(*authenticated).status_code == 500
    assert status(authenticated[0]) == "AUTH_PASSWORD"
    switch_on(admin, "5xx_after")
    assert shop.approve(*authenticated).status_code == 500
    assert status(authenticated[0]) == "SUCCESS_PAYMENT"


def test_lost_after_breaks_the_answer_off_when_all_is_done(admin: Client, shop: Shop, authenticated: tuple[str, str]) -> None:
    switch_on(admin, "lost_after")
    answer = shop.approve(*authenticated)
    assert int(answer["Content-Length"]) > len(answer.getvalue())
    assert status(authenticated[0]) == "SUCCESS_PAYMENT"


def test_late_is_done_after_the_answer_was_lost(
    admin: Client, shop: Shop, authenticated: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[Any] = []

    class Timer:
        """Goes off when the test says so."""

        daemon = False

        def __init__(self, delay_s: float, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
            self.fire = lambda: function(*arguments)
            timers.append(self)

        def start(self) -> None:
            assert not timers[:-1]

    monkeypatch.setattr("booking_templates.standin.protocol.threading.Timer", Timer)
    switch_on(admin, "late", delay_s=20)
    shop.approve(*authenticated)
    assert status(authenticated[0]) == "AUTH_PASSWORD"
    worker = threading.Thread(target=timers[0].fire)
    worker.start()
    worker.join()
    assert status(authenticated[0]) == "SUCCESS_PAYMENT"


def test_doubled_is_done_once_and_answered_as_the_second(admin: Client, shop: Shop, authenticated: tuple[str, str]) -> None:
    switch_on(admin, "doubled")
    assert shop.approve(*authenticated).json()["error_code"] == -702
    assert Payment.objects.get(pk=authenticated[0]).actions.count() == 1


def test_refused_fails_the_payment_as_a_card_company_does(admin: Client, shop: Shop, authenticated: tuple[str, str]) -> None:
    switch_on(admin, "refused")
    answer = shop.approve(*authenticated)
    assert (answer.status_code, answer.json()["error_code"]) == (400, -780)
    assert set(answer.json()["extras"]) == {"method_result_code", "method_result_message"}
    assert status(authenticated[0]) == "FAIL_PAYMENT"


def test_a_fault_meets_its_order_and_operation_alone_and_as_often_as_it_says(admin: Client, shop: Shop, captured: str) -> None:
    switch_on(admin, "5xx", "order", partner_order_id="o-1", times=2)
    other = shop.ready(partner_order_id="o-2").json()["tid"]
    assert [shop.order(other).status_code, shop.order(captured).status_code, shop.order(captured).status_code] == [200, 500, 500]
    assert shop.order(captured).status_code == 200
    switch_on(admin, "5xx", "cancel", times=0)
    assert [shop.cancel(captured, 1).status_code for _ in range(3)] == [500] * 3
    assert admin.delete("/admin/faults").json() == {"faults": []}
    assert shop.cancel(captured, 1).status_code == 200


def test_an_unknown_fault_is_refused_by_name(admin: Client) -> None:
    for body in ({"fault": "explode"}, {"fault": "5xx", "operation": "steal"}, {"fault": "5xx", "rate": 2}, {}):
        answer = admin.post("/admin/faults", body, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert faults.listed() == []

"""The buyer's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.booking_templates.standin.conftest import Shop


@pytest.fixture
def page(shop: Shop) -> str:
    return urlsplit(shop.ready(item_name="<b>오페라</b>").json()["next_redirect_mobile_url"]).path


def test_it_says_that_no_money_moves_and_what_is_to_be_paid(client: Any, page: str) -> None:
    answer = client.get(page)
    text = answer.content.decode()
    assert "No money moves" in text
    assert "₩300,000" in text
    assert "&lt;b&gt;오페라&lt;/b&gt;" in text
    assert text.count('name="action"') == 3


def test_it_speaks_korean_to_koreans_and_switches(client: Any, page: str) -> None:
    korean = client.get(page, headers={"Accept-Language": "ko-KR,ko;q=0.9"}).content.decode()
    assert '<html lang="ko">' in korean
    assert "실제로 결제되지 않으며" in korean
    assert "300,000원" in korean
    assert '<html lang="en">' in client.get(page, {"lang": "en"}, headers={"Accept-Language": "ko"}).content.decode()


def test_opening_it_is_a_state_of_its_own(client: Any, shop: Shop) -> None:
    ready = shop.ready().json()
    client.get(urlsplit(ready["next_redirect_pc_url"]).path)
    assert shop.order(ready["tid"]).json()["status"] == "OPEN_PAYMENT"


def test_it_runs_no_script_and_sends_its_form_to_the_shop_alone(client: Any, page: str) -> None:
    answer = client.get(page)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self' http://phantom.localhost:8080" in policy
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"


def test_an_unknown_page_is_404(client: Any) -> None:
    assert client.get("/pay/pc/" + "0" * 48).status_code == 404


def test_an_unknown_button_decides_nothing(client: Any, page: str) -> None:
    assert client.post(page, {"action": "steal"}).status_code == 409
    assert client.post(page, {"action": "approve"}).status_code == 303


def test_a_payment_that_was_made_or_ended_offers_no_button(client: Any, shop: Shop, captured: str, page: str) -> None:
    from booking_templates.standin.models import Payment

    paid = client.get(f"/pay/pc/{Payment.objects.get(pk=captured).page}").content.decode()
    assert "has been made" in paid
    client.post(page, {"action": "cancel"})
    ended = client.get(page).content.decode()
    assert "Nothing was charged" in ended
    assert "<button" not in paid + ended

"""Which provider an image has comes from its environment, the key from its secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from booking_templates.kit.connections import NotSent
from booking_templates.payments import providers
from booking_templates.payments.errors import PaymentUnreached
from booking_templates.payments.kakaopay import KakaoPay
from booking_templates.payments.port import Purchase
from tests.booking_keys import KAKAOPAY_SECRET_KEY


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    providers.provider.cache_clear()
    yield
    providers.provider.cache_clear()


def test_kakaopay_has_its_address_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER", "kakaopay")
    monkeypatch.setenv("KAKAOPAY_URL", "http://standin:8090/")
    monkeypatch.setenv("PAYMENT_TEST", "yes")
    found = providers.provider()
    assert isinstance(found, KakaoPay)
    assert (found._url, found.is_test) == ("http://standin:8090", True)
    assert found._secret_key() == KAKAOPAY_SECRET_KEY


def test_a_key_that_is_replaced_while_the_service_runs_is_the_one_that_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER", "kakaopay")
    found, file = providers.provider(), settings.ENV.secrets_dir / providers.SECRET
    assert isinstance(found, KakaoPay)
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(found._connections, "request", lambda *_, headers, **__: sent.append(headers) or _refused())
    file.write_text("another key", encoding="utf-8")
    try:
        with pytest.raises(PaymentUnreached):
            found.ready(Purchase("order-1", "buyer-1", "x", 1, 1_000, "http://a", "http://b", "http://c"))
    finally:
        file.write_text(KAKAOPAY_SECRET_KEY, encoding="utf-8")

    assert sent[0]["Authorization"] == "SECRET_KEY another key"


def _refused() -> None:
    raise NotSent("refused")


def test_the_real_host_is_the_default_and_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER", "kakaopay")
    monkeypatch.delenv("KAKAOPAY_URL", raising=False)
    monkeypatch.delenv("PAYMENT_TEST", raising=False)
    found = providers.provider()
    assert isinstance(found, KakaoPay)
    assert (found._url, found.is_test) == ("https://open-api.kakaopay.com", False)


def test_none_is_none_and_another_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER", "none")
    assert providers.provider() is None
    providers.provider.cache_clear()
    monkeypatch.setenv("PAYMENT_PROVIDER", "cash")
    with pytest.raises(ValueError, match="cash"):
        providers.provider()

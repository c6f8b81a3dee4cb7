"""Which provider an image has comes from its environment, the key from its secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from booking_templates.payments import providers
from booking_templates.payments.kakaopay import KakaoPay
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
    assert found._headers["Authorization"] == f"SECRET_KEY {KAKAOPAY_SECRET_KEY}"


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

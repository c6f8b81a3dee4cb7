"""Which provider this service's image has (`PAYMENT_PROVIDER`), made once a process."""

from __future__ import annotations

import os
from functools import cache

from django.conf import settings

from booking_templates.kit.reread import Reread
from booking_templates.payments.kakaopay import KakaoPay
from booking_templates.payments.port import Provider

REAL_KAKAOPAY = "https://open-api.kakaopay.com"
TEST_CID = "TC0ONETIME"
SECRET = "kakaopay-secret-key"  # noqa: S105 - the file's name


@cache
def provider() -> Provider | None:
    """The provider, or None where orders confirm without a payment. Raises ValueError for a name it does not know."""
    name = os.environ.get("PAYMENT_PROVIDER", "none")
    if name == "none":
        return None
    if name != KakaoPay.name:
        raise ValueError(f"PAYMENT_PROVIDER: {name!r} is neither kakaopay nor none")
    secret_key = Reread(settings.ENV.secrets_dir / SECRET, str.strip)
    secret_key()  # raises at the start rather than at the first payment
    return KakaoPay(
        url=os.environ.get("KAKAOPAY_URL") or REAL_KAKAOPAY,
        cid=os.environ.get("KAKAOPAY_CID") or TEST_CID,
        secret_key=secret_key,
        is_test=os.environ.get("PAYMENT_TEST", "no") == "yes",
    )

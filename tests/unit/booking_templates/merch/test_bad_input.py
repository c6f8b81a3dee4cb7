"""Whatever is sent to an endpoint of merch: a problem with a code and the right status, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.booking_bad_input import check_endpoint, endpoints

CLOSE = "performances/<str:performance_id>/close"
"""It notes what it is told of performances that are not there (yet): see test_sales."""


@pytest.mark.parametrize(("pattern", "method"), [each for each in endpoints() if each[0] != CLOSE])
@pytest.mark.usefixtures("products")
def test_bad_input_is_refused_and_changes_nothing(
    pattern: str,
    method: str,
    keys: Any,
    client_for: Callable[[str], Any],
    order: Callable[..., Any],
    pay: Callable[[str], None],
    buyer_id: str,
) -> None:
    order_id = order(program=2).json()["id"]
    pay(order_id)
    own = {"order_id": order_id, "buyer_id": buyer_id, "digest": "0" * 64}
    check_endpoint(pattern, method, service="merch", keys=keys, client_for=client_for, own=own)

"""The presale with real services: the seller opens one, gives out codes, and whoever has one buys before everybody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.controlplane import areas_requirement
from tests.e2e.test_seller import Seller
from tests.stack import Site, Stack

SLUG = "presale"
HOLD = {"areas": [{"area": "floor", "quantity": 1}]}
HEADERS = {"X-Clove-Request": "1"}


def hold(site: Site) -> Any:
    return site.call("POST", "/api/seat/performances/p1/holds", json=HOLD, headers=HEADERS)


def use(site: Site, code: str) -> Any:
    return site.call("POST", "/api/seat/presale", json={"code": code}, headers=HEADERS)


def at(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def test_a_seller_gives_out_codes_and_who_has_one_buys_first(clove: Stack) -> None:
    seller = Seller(clove)
    sales = {"opens_at": at(days=-1), "closes_at": "2090-01-10T18:30:00+09:00"}
    system = seller.opened(areas_requirement(slug=SLUG, payment="none", sales=sales, admit_per_minute=0))
    site, presale = clove.site(SLUG), f"systems/{system}/presale"
    site.sign_up(f"{SLUG}@example.kr")
    assert (hold(site).json()["code"], "presale" in hold(site).json()) == ("not_on_sale", False)

    assert seller.get(presale)["presale"] is None
    entry = {"name": "팬클럽 선예매", "opens_at": at(minutes=5)}
    assert seller.call("PUT", presale, {"presale": entry}).status_code == 200
    assert seller.call("POST", f"{presale}/codes", {"count": 30_001, "after": 0}).json()["given"] == 30_001
    assert seller.call("POST", f"{presale}/codes", {"count": 30_001, "after": 0}).json()["code"] == "codes_changed"
    codes = [each["code"] for each in seller.get(f"{presale}/codes")["results"]]
    assert len(set(codes)) == 30_001
    assert seller.get(f"systems/{system}/requirement")["presale"]["name"] == entry["name"]

    assert hold(site).json()["presale"]["is_open"] is True
    assert use(site, codes[30_000].lower()).status_code == 200
    assert hold(site).status_code == 201
    assert seller.get(presale)["used"] == 1

    assert seller.call("POST", f"{presale}/withdrawals", {"code": codes[30_000]}).json() == {"was_used": True}
    assert hold(site).json()["code"] == "not_on_sale"
    assert len(seller.get(f"{presale}/codes")["results"]) == 30_000
    assert use(site, codes[0]).status_code == 200
    assert hold(site).status_code == 201
    told = str([seller.get(f"systems/{system}/requirement"), seller.get(f"systems/{system}")])
    assert codes[0] not in told, "a code is no part of what is stored"

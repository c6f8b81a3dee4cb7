"""The waiting room with real services: the seller says how many come in, and buyers are let in by it at once."""

from __future__ import annotations

from typing import Any

from tests.controlplane import areas_requirement
from tests.e2e.test_seller import Seller, until
from tests.stack import Site, Stack

SLUG = "waiting-room"
HOLD = {"areas": [{"area": "floor", "quantity": 1}]}


def turn(site: Site) -> Any:
    answer = site.call("POST", "/api/seat/room/turns", json={})
    assert answer.status_code == 201, answer.text
    return answer.json()


def hold(site: Site, turn: str) -> Any:
    headers = {"X-Clove-Request": "1", "X-Clove-Turn": turn}
    return site.call("POST", "/api/seat/performances/p1/holds", json=HOLD, headers=headers)


def test_a_seller_lets_in_fewer_nobody_and_everybody(clove: Stack) -> None:
    seller = Seller(clove)
    system = seller.opened(areas_requirement(slug=SLUG, payment="none", admit_per_minute=1))
    site, room = clove.site(SLUG), f"systems/{system}/waiting-room"
    site.sign_up(f"{SLUG}@example.kr")
    first, second, last = turn(site), turn(site), turn(site)
    assert [each["number"] for each in (first, second, last)] == [1, 2, 3]

    told = seller.get(room)
    assert (told["waiting"], told["admitted"], told["per_minute"], told["admit_per_minute"]) == (2, 1, 1, 1)
    refused = hold(site, last["turn"])
    assert (refused.status_code, refused.json()["code"]) == (403, "waiting_room")
    assert hold(site, first["turn"]).status_code == 201

    assert seller.call("PATCH", room, {"is_paused": True}).json()["is_paused"] is True
    faster = seller.call("PATCH", room, {"admit_per_minute": 60_000})
    assert (faster.status_code, faster.json()["waiting"]) == (200, 2)
    assert seller.get(f"systems/{system}/requirement")["admit_per_minute"] == 60_000
    assert hold(site, second["turn"]).status_code == 403
    assert seller.call("PATCH", room, {"is_paused": False}).status_code == 200
    until("who waited is in", lambda: hold(site, last["turn"]).status_code == 201)
    assert seller.get(room)["waiting"] == 0

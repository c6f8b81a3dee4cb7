"""Places without numbers: never more than there are, and sold out only when none is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking_templates.seat.models import Claim

from .conftest import Caller

pytestmark = pytest.mark.usefixtures("areas_on_sale")


def wish(**quantities: int) -> dict[str, Any]:
    return {"areas": [{"area": area, "quantity": quantity} for area, quantity in quantities.items()]}


def free(someone: Caller, area: str = "floor", performance: str = "p1") -> int:
    return someone.get(f"performances/{performance}/availability").json()["areas"][area]["free"]


def test_a_hold_names_each_place_by_its_area(buyer: Caller) -> None:
    hold = buyer.held(**wish(floor=2, deck=1))

    assert [(place["area"], place["label"], place["price_krw"]) for place in hold["places"]] == [
        ("floor", "스탠딩", 50_000),
        ("floor", "스탠딩", 50_000),
        ("deck", "데크", 99_000),
    ]
    assert len({place["id"] for place in hold["places"]}) == 3
    assert hold["total_krw"] == 199_000


def test_the_last_places_go_to_whoever_asks_for_no_more_than_are_left(
    someone: Caller, new_buyer: Callable[[], Caller], buyer: Caller
) -> None:
    for _ in range(3):
        new_buyer().held(**wish(floor=3))

    answer = buyer.hold(**wish(floor=2))

    assert (answer.status_code, answer.json()["code"]) == (409, "area_full")
    assert (answer.json()["area"], answer.json()["free"]) == ("floor", 1)
    buyer.held(**wish(floor=1))
    assert free(someone) == 0
    assert Claim.objects.count() == 10


def test_one_full_area_refuses_the_whole_wish(new_buyer: Callable[[], Caller], buyer: Caller) -> None:
    new_buyer().held(**wish(deck=3))

    assert buyer.hold(**wish(floor=1, deck=1)).json()["area"] == "deck"
    assert not Claim.objects.filter(buyer=buyer.id).exists()


def test_expired_places_can_be_had_before_they_are_swept(
    new_buyer: Callable[[], Caller], buyer: Caller, let_expire: Callable[[str], None]
) -> None:
    let_expire(new_buyer().held(**wish(deck=3))["id"])

    assert buyer.hold(**wish(deck=3)).status_code == 201


def test_availability_counts_down_and_up(someone: Caller, buyer: Caller) -> None:
    first = someone.get("performances/p1/availability").json()
    hold = buyer.held(**wish(floor=4))
    after = someone.get(f"performances/p1/availability?since={first['version']}").json()
    buyer.call("DELETE", f"holds/{hold['id']}")

    assert first["areas"] == {"floor": {"free": 10, "held": 0}, "deck": {"free": 3, "held": 0}}
    assert first["state"] == ""
    assert after["areas"]["floor"] == {"free": 6, "held": 4}
    assert (after["full"], after["changes"]) == (False, [])
    assert free(someone) == 10


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (wish(floor=0), 422),
        (wish(floor=-1), 422),
        (wish(floor=5), 422),
        (wish(floor=2, deck=3), 422),
        ({"areas": []}, 422),
        ({"areas": [{"area": "floor", "quantity": 1}, {"area": "floor", "quantity": 1}]}, 422),
        ({"seats": ["A-1"]}, 422),
        ({"best": {"quantity": 1}}, 422),
        (wish(roof=1), 404),
    ],
)
def test_bad_wishes_are_refused(buyer: Caller, body: dict[str, Any], status: int) -> None:
    assert buyer.hold(**body).status_code == status
    assert not Claim.objects.exists()


def test_an_area_may_grow_and_shrink_down_to_what_is_taken(
    staff: Caller, someone: Caller, new_buyer: Callable[[], Caller], areas_on_sale: dict[str, Any]
) -> None:
    holds = [(buyer, buyer.held(**wish(floor=2))) for buyer in (new_buyer() for _ in range(3))]

    def resize(capacity: int) -> Any:
        areas = [areas_on_sale["areas"][0] | {"capacity": capacity}, areas_on_sale["areas"][1]]
        return staff.call("PUT", "content", areas_on_sale | {"areas": areas})

    assert resize(20).status_code == 200
    assert free(someone) == 14
    assert resize(5).json()["code"] == "would_orphan"
    assert resize(6).status_code == 200
    assert free(someone) == 0
    assert new_buyer().hold(**wish(floor=1)).json()["code"] == "area_full"
    buyer, hold = holds[0]
    assert buyer.get(f"holds/{hold['id']}").json()["places"] == hold["places"]
    buyer.call("DELETE", f"holds/{hold['id']}")
    assert free(someone) == 2


def test_an_area_that_somebody_has_a_place_in_stays(staff: Caller, buyer: Caller, areas_on_sale: dict[str, Any]) -> None:
    buyer.held(**wish(deck=1))

    answer = staff.call("PUT", "content", areas_on_sale | {"areas": areas_on_sale["areas"][:1]})

    assert (answer.status_code, answer.json()["code"]) == (409, "would_orphan")
    assert answer.json()["places"] == [{"performance": "p1", "label": "데크"}]


def test_part_of_an_order_can_be_released(ticket: Caller, buyer: Caller, someone: Caller) -> None:
    hold = buyer.held(**wish(floor=3))
    ticket.call("POST", f"/internal/holds/{hold['id']}/confirm", {"order_id": "o1"})
    one = hold["places"][1]["id"]

    first = ticket.call("POST", "/internal/orders/o1/release", {"places": [one]})
    again = ticket.call("POST", "/internal/orders/o1/release", {"places": [one]})

    assert first.json() == {"released": [one]}
    assert again.json() == {"released": []}
    assert free(someone) == 8

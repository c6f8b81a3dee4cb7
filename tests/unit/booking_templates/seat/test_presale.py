"""The presale by its endpoints: codes that staff give out, accounts that use them, and who may hold when."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from booking_templates.kit.db import clock_ms
from booking_templates.kit.problems import TooMany, Unprocessable
from booking_templates.seat import callers, codes, content, taken
from booking_templates.seat.clock import from_ms
from booking_templates.seat.models import Code, CodesGiven, Content, Room
from booking_templates.seat.queue import GRACE_MS
from tests.unit.booking_templates.seat.conftest import SOON, Caller, numbered_content

pytestmark = pytest.mark.django_db
NAME = "팬클럽 선예매"


def times(opens_in_s: float, presale_in_s: float | None, **more: Any) -> dict[str, Any]:
    """A house that sells to all after OPENS_IN_S, and before that from PRESALE_IN_S on."""
    now = datetime.now(UTC)
    sales = {"opens_at": (now + timedelta(seconds=opens_in_s)).isoformat(), "closes_at": (SOON + timedelta(days=4)).isoformat()}
    made = numbered_content(sales=sales, **more)
    if presale_in_s is not None:
        made["presale"] = {"name": NAME, "opens_at": (now + timedelta(seconds=presale_in_s)).isoformat()}
    return made


@pytest.fixture(autouse=True)
def no_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "guesses", callers.Guesses())


@pytest.fixture
def put(db: None, staff: Caller) -> Callable[..., None]:
    def put(opens_in_s: float, presale_in_s: float | None, **more: Any) -> None:
        answer = staff.call("PUT", "content", times(opens_in_s, presale_in_s, **more))
        assert answer.status_code == 200, answer.content

    return put


@pytest.fixture
def presale(put: Callable[..., None], staff: Caller) -> None:
    """It is open to those with one of five codes, and no waiting room is in the way."""
    put(86_400, -60, admit_per_minute=0)
    assert staff.call("POST", "presale/codes", {"count": 5}).status_code == 201


def use(who: Caller, number: int) -> Any:
    return use_text(who, codes.write(number))


def use_text(who: Caller, text: str, **headers: str) -> Any:
    return who.call("POST", "presale", {"code": text}, **headers)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# ---- holds


def test_before_the_sale_is_open_to_all_accounts_with_a_code_may_hold(presale: None, buyer: Caller, other: Caller) -> None:
    assert use(buyer, 1).json() | {"opens_at": "", "sales_open_at": ""} == {
        "name": NAME,
        "opens_at": "",
        "sales_open_at": "",
        "is_open": True,
        "has_code": True,
    }

    assert buyer.hold("A-1").status_code == 201
    refused = other.hold("A-2")
    assert told(refused) == (409, "not_on_sale")
    assert refused.json()["presale"] | {"opens_at": ""} == {"name": NAME, "opens_at": "", "is_open": True}
    assert NAME in refused.json()["detail"]


def test_nobody_holds_before_the_presale_and_a_code_may_be_used_before_it(put: Callable[..., None], staff: Caller, buyer: Caller) -> None:
    put(86_400, 3_600, admit_per_minute=0)
    staff.call("POST", "presale/codes", {"count": 1})

    assert use(buyer, 1).json()["is_open"] is False
    refused = buyer.hold("A-1")
    assert told(refused) == (409, "not_on_sale")
    assert refused.json()["presale"]["is_open"] is False
    put(86_400, -1, admit_per_minute=0)
    assert buyer.hold("A-1").status_code == 201


def test_once_the_sale_is_open_to_all_nothing_asks_for_a_code(
    put: Callable[..., None], presale: None, buyer: Caller, other: Caller
) -> None:
    use(buyer, 1)
    put(-1, -60, admit_per_minute=0)

    with CaptureQueriesContext(connection) as queries:
        assert other.hold("A-1").status_code == 201

    assert not [query for query in queries if "seat_code" in query["sql"]]
    assert told(use(other, 2)) == (409, "presale_over")


def test_without_a_presale_a_hold_costs_what_it_did_and_answers_say_nothing_of_one(
    put: Callable[..., None], buyer: Caller, someone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken, "seems", lambda claims: False)  # what another test saw taken
    put(-86_400, None)

    with CaptureQueriesContext(connection) as queries:
        assert buyer.hold("A-1").status_code == 201
    with CaptureQueriesContext(connection) as turns:
        assert someone.call("POST", "room/turns", {}).status_code == 201

    assert [query["sql"].split()[0] for query in queries if "seat_" in query["sql"]] == ["SELECT", "INSERT"]
    assert not [query for query in [*queries, *turns] if "seat_code" in query["sql"]]
    assert set(someone.get("performances").json()[0]["sales"]) == {"opens_at", "closes_at"}
    put(3_600, None)
    refused = buyer.hold("A-2")
    assert told(refused) == (409, "not_on_sale")
    assert "presale" not in refused.json()
    assert told(use_text(buyer, "x")) == (404, "presale_none")
    assert told(buyer.get("presale")) == (404, "presale_none")


def test_the_limit_and_what_is_called_off_hold_in_the_presale_as_ever(
    put: Callable[..., None], presale: None, buyer: Caller, ticket: Caller
) -> None:
    use(buyer, 1)

    assert told(buyer.hold("A-1", "A-2", "A-3", "A-4", "A-5")) == (422, "limit_exceeded")
    ticket.call("POST", "/internal/performances/p1/close")
    assert told(buyer.hold("A-1")) == (409, "performance_called_off")
    assert buyer.hold("A-1", performance="p2").status_code == 201


def test_a_presale_that_goes_or_is_moved_takes_nothing_that_is_held(put: Callable[..., None], presale: None, buyer: Caller) -> None:
    use(buyer, 1)
    held = buyer.held("A-1")
    put(86_400, None, admit_per_minute=0)

    assert told(buyer.hold("A-2")) == (409, "not_on_sale")
    assert buyer.get(f"holds/{held['id']}").status_code == 200
    put(86_400, -60, admit_per_minute=0)
    assert buyer.hold("A-2").status_code == 201


def test_performances_say_when_both_open(presale: None, someone: Caller) -> None:
    sales = someone.get("performances").json()[0]

    assert sales["on_sale"] is False
    assert sales["sales"]["presale"]["name"] == NAME


# ---- codes


def test_a_code_is_the_account_s_that_used_it_first(presale: None, buyer: Caller, other: Caller) -> None:
    assert use(buyer, 1).status_code == 200
    assert use(buyer, 1).status_code == 200
    assert told(use(other, 1)) == (409, "code_taken")
    assert Code.objects.count() == 1


def test_who_has_a_code_takes_no_second_one(presale: None, buyer: Caller, other: Caller) -> None:
    use(buyer, 1)

    assert use(buyer, 2).json()["has_code"] is True
    assert use(other, 2).status_code == 200
    assert list(Code.objects.order_by("number").values_list("number", "buyer")) == [(1, buyer.id), (2, other.id)]


def test_a_code_that_was_not_given_out_is_none(presale: None, staff: Caller, buyer: Caller) -> None:
    answer = use(buyer, 6)
    assert told(answer) == (422, "code_wrong")
    assert list(answer.json()["errors"]) == ["code"]

    staff.call("POST", "presale/codes", {"count": 1})
    assert use(buyer, 6).status_code == 200


def test_only_a_buyer_uses_one(presale: None, someone: Caller, staff: Caller) -> None:
    assert [use(who, 1).status_code for who in (someone, staff)] == [401, 403]
    assert not Code.objects.exists()


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 7}, {"code": "x" * 61}, {"code": "x", "more": 1}])
def test_what_is_no_request_is_refused(presale: None, buyer: Caller, body: dict[str, Any]) -> None:
    assert buyer.call("POST", "presale", body).status_code == 422


def test_guesses_of_one_moment_count_each_other() -> None:
    """One more than may be wrong has room only once one of them has turned out right."""
    guesses, request = callers.Guesses(clock=lambda: 0.0), RequestFactory().get("/")
    with ExitStack() as looked_at:
        for _ in range(callers.Guesses.OF_ACCOUNT):
            looked_at.enter_context(guesses.guess(request, "buyer"))
        with pytest.raises(TooMany), guesses.guess(request, "buyer"):
            pytest.fail("one too many was looked at")
    for _ in range(callers.Guesses.OF_ACCOUNT):
        with pytest.raises(Unprocessable), guesses.guess(request, "buyer"):
            raise Unprocessable("code_wrong")
    with pytest.raises(TooMany), guesses.guess(request, "buyer"):
        pytest.fail("one too many was wrong")


def test_who_guesses_has_to_wait_and_the_right_one_too(presale: None, buyer: Caller, other: Caller) -> None:
    answers = [use_text(buyer, "AAAA-AAAA-AAAA") for _ in range(callers.Guesses.OF_ACCOUNT + 1)]

    assert [answer.status_code for answer in answers] == [422] * callers.Guesses.OF_ACCOUNT + [429]
    assert answers[-1].json()["code"] == "too_many_attempts"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert use(buyer, 1).status_code == 429
    assert use(other, 1).status_code == 200


def test_many_accounts_of_one_address_that_guess_have_to_wait(
    presale: None, new_buyer: Callable[[], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers.Guesses, "OF_ADDRESS", 3)
    answers = [use_text(new_buyer(), "A", **{"X-Forwarded-For": "8.8.4.9"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert use_text(new_buyer(), "A", **{"X-Forwarded-For": "8.8.8.8"}).status_code == 422
    assert use_text(new_buyer(), "A", **{"X-Forwarded-For": "10.0.0.7"}).status_code == 422, "it stands for everybody"


def test_a_right_code_is_no_guess(presale: None, buyer: Caller) -> None:
    assert {use(buyer, 1).status_code for _ in range(callers.Guesses.OF_ACCOUNT + 3)} == {200}


def test_who_used_a_code_keeps_it_when_the_key_changes_and_unused_ones_are_none(
    presale: None, buyer: Caller, other: Caller, staff: Caller, settings: Any
) -> None:
    before = codes.write(2)
    use(buyer, 1)
    settings.SECRET_KEY = "another" * 8

    # Tokens are signed by other keys: only what this service derives is another.
    assert buyer.hold("A-1").status_code == 201
    assert told(use_text(other, before)) == (422, "code_wrong")
    assert use_text(other, staff.get("presale/codes/list?first=2&count=1").json()["codes"][0]["code"]).status_code == 200


# ---- staff


def test_staff_give_out_codes_and_list_them_at_any_time(presale: None, staff: Caller, buyer: Caller) -> None:
    listed = staff.get("presale/codes/list").json()
    assert (listed["given"], [each["number"] for each in listed["codes"]]) == (5, [1, 2, 3, 4, 5])
    assert staff.get("presale/codes/list").json() == listed

    assert staff.call("POST", "presale/codes", {"count": 3, "after": 5}).json() == {"given": 8, "used": 0, "withdrawn": 0}
    more = staff.get("presale/codes/list?first=6&count=2").json()
    assert [each["number"] for each in more["codes"]] == [6, 7]
    assert use_text(buyer, more["codes"][0]["code"]).status_code == 200
    assert staff.get("presale/codes").json() == {"given": 8, "used": 1, "withdrawn": 0}
    assert staff.get("presale/codes/list?first=9").json() == {"given": 8, "codes": []}


def test_a_request_for_codes_that_comes_twice_gives_out_no_more(presale: None, staff: Caller) -> None:
    assert staff.call("POST", "presale/codes", {"count": 3, "after": 5}).status_code == 201

    again = staff.call("POST", "presale/codes", {"count": 3, "after": 5})

    assert told(again) == (409, "codes_changed")
    assert again.json()["given"] == CodesGiven.objects.get().count == 8


@pytest.mark.parametrize("count", [0, -1, 100_001, "5", 1.5, None])
def test_so_many_codes_are_not_given_out(presale: None, staff: Caller, count: object) -> None:
    assert staff.call("POST", "presale/codes", {"count": count}).status_code == 422
    assert CodesGiven.objects.get().count == 5


def test_there_are_no_more_codes_than_there_are_numbers(presale: None, staff: Caller) -> None:
    CodesGiven.objects.update(count=codes.CODES_MAX - 1)

    answer = staff.call("POST", "presale/codes", {"count": 2})

    assert told(answer) == (422, "too_many_codes")
    assert staff.call("POST", "presale/codes", {"count": 1}).status_code == 201


@pytest.mark.parametrize("query", ["first=0", "count=0", "count=100001", "first=x"])
def test_a_list_that_cannot_be_is_refused(presale: None, staff: Caller, query: str) -> None:
    assert staff.get(f"presale/codes/list?{query}").status_code == 422


def test_a_code_that_is_withdrawn_is_nobodys(presale: None, staff: Caller, buyer: Caller, other: Caller) -> None:
    use(buyer, 1)
    held = buyer.held("A-1")

    assert staff.call("POST", "presale/withdrawals", {"code": codes.write(1).lower()}).json() == {"number": 1, "was_used": True}
    assert staff.call("POST", "presale/withdrawals", {"code": codes.write(2)}).json() == {"number": 2, "was_used": False}
    assert staff.call("POST", "presale/withdrawals", {"code": codes.write(2)}).json() == {"number": 2, "was_used": False}

    assert told(buyer.hold("A-2")) == (409, "not_on_sale")
    assert buyer.get(f"holds/{held['id']}").status_code == 200, "what is held stays"
    assert [told(use(who, number)) for who in (buyer, other) for number in (1, 2)] == [(409, "code_withdrawn")] * 4
    assert use(buyer, 3).status_code == 200
    assert buyer.hold("A-2").status_code == 201
    assert staff.get("presale/codes").json() == {"given": 5, "used": 1, "withdrawn": 2}
    assert [each["number"] for each in staff.get("presale/codes/list").json()["codes"]] == [3, 4, 5]
    assert told(staff.call("POST", "presale/withdrawals", {"code": "AAAA-AAAA-AAAA"})) == (422, "code_wrong")


def test_only_staff_see_codes(presale: None, someone: Caller, buyer: Caller, ticket: Caller) -> None:
    for who, status in ((someone, 401), (buyer, 403), (ticket, 401)):
        assert who.get("presale/codes").status_code == status
        assert who.get("presale/codes/list").status_code == status
        assert who.call("POST", "presale/codes", {"count": 1}).status_code == status
        assert who.call("POST", "presale/withdrawals", {"code": codes.write(1)}).status_code == status


def test_an_account_that_is_closed_is_named_nowhere_and_its_code_stays_used(
    presale: None, buyer: Caller, other: Caller, staff: Caller, auth_service: Caller
) -> None:
    use(buyer, 1)

    assert auth_service.call("POST", f"/internal/buyers/{buyer.id}/erase").status_code == 204

    assert not Code.objects.filter(buyer=buyer.id).exists()
    assert told(use(other, 1)) == (409, "code_taken")
    assert staff.get("presale/codes").json()["used"] == 1


# ---- content


def test_a_presale_that_opens_no_earlier_than_the_sale_is_refused(db: None, staff: Caller) -> None:
    answer = staff.call("PUT", "content", times(60, 60.5))

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["presale.opens_at"]


@pytest.mark.parametrize("presale", [{"name": "x"}, {"name": " ", "opens_at": "2027-01-01T00:00:00Z"}, {"name": "x", "opens_at": "now"}, 7])
def test_what_is_no_presale_is_refused(db: None, staff: Caller, presale: object) -> None:
    assert staff.call("PUT", "content", times(60, None) | {"presale": presale}).status_code == 422


def test_an_image_of_before_presales_reads_what_was_written_and_what_it_writes_is_noticed(presale: None, staff: Caller) -> None:
    row = Content.objects.get()
    assert "presale" not in row.body
    assert content.read().presale is not None

    without = times(86_400, None, admit_per_minute=0)
    with_ = without | {"presale": {"name": NAME, "opens_at": from_ms(clock_ms()).isoformat()}}
    assert staff.call("PUT", "content", without).json()["changed"] is True
    assert Content.objects.get().presale is None
    assert staff.call("PUT", "content", with_).json()["changed"] is True
    assert staff.call("PUT", "content", with_).json()["changed"] is False
    assert staff.get("content").json()["presale"]["name"] == NAME


# ---- the waiting room


def turn(who: Caller, known: str = "") -> Any:
    return who.call("POST", "room/turns", {"turn": known} if known else {})


def test_in_the_presale_an_account_with_a_code_gets_a_number_and_nobody_else(
    put: Callable[..., None], presale: None, buyer: Caller, other: Caller, someone: Caller, staff: Caller
) -> None:
    put(3_600, -60)
    use(buyer, 1)

    mine = turn(buyer)
    assert (mine.status_code, mine.json()["number"]) == (201, 1)
    assert "needs_code" not in mine.json()
    for who in (other, someone, staff):
        answer = turn(who, mine.json()["turn"] if who is other else "")
        assert (answer.status_code, answer.json()["turn"], answer.json()["needs_code"]) == (200, None, True)
        assert 3_000 < answer.json()["opens_in_s"] <= 3_600, "until it opens to all"

    put(-1, -60)
    assert turn(someone).json()["number"] == 2
    assert turn(buyer, mine.json()["turn"]).json()["number"] == 1


def test_before_the_presale_each_is_told_when_it_opens_to_them(
    put: Callable[..., None], presale: None, buyer: Caller, someone: Caller
) -> None:
    put(7_200, 3_600)
    use(buyer, 1)

    mine, theirs = turn(buyer).json(), turn(someone).json()

    assert (mine["turn"], theirs["turn"], theirs["needs_code"]) == (None, None, True)
    assert "needs_code" not in mine
    assert 3_500 < mine["opens_in_s"] <= 3_600
    assert 7_100 < theirs["opens_in_s"] <= 7_200


@pytest.mark.parametrize("presale_in_s", [-GRACE_MS / 1000 + 60, -60])
def test_just_after_the_presale_has_opened_a_hold_needs_a_turn(
    put: Callable[..., None], presale: None, buyer: Caller, presale_in_s: float
) -> None:
    put(86_400, presale_in_s)
    use(buyer, 1)

    assert told(buyer.hold("A-1")) == (403, "waiting_room")
    mine = turn(buyer).json()["turn"]
    Room.objects.update(at_ms=F("at_ms") - 60_000)  # a room that was off is full when it comes back
    answer = buyer.call("POST", "performances/p1/holds", {"seats": ["A-1"]}, **{"X-Clove-Turn": mine})
    assert answer.status_code == 201


def test_some_time_after_the_presale_has_opened_a_hold_needs_none_and_after_the_sale_has_it_does_again(
    put: Callable[..., None], presale: None, buyer: Caller, other: Caller, staff: Caller
) -> None:
    put(86_400, -GRACE_MS / 1000 - 60)
    use(buyer, 1)
    assert staff.get("summary").json()["room"]["needs_turn"] is False
    assert buyer.hold("A-1").status_code == 201

    put(-1, -GRACE_MS / 1000 - 60)
    assert staff.get("summary").json()["room"]["needs_turn"] is True
    assert told(other.hold("A-2")) == (403, "waiting_room")


def test_without_a_code_a_turn_of_somebody_else_holds_nothing(
    put: Callable[..., None], presale: None, buyer: Caller, other: Caller
) -> None:
    put(86_400, -60)
    use(buyer, 1)
    mine = turn(buyer).json()["turn"]

    answer = other.call("POST", "performances/p1/holds", {"seats": ["A-1"]}, **{"X-Clove-Turn": mine})

    assert told(answer) == (409, "not_on_sale")

"""What buyers of tickets are told by mail: written with what it tells of, brought to auth at least once, in their language."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from booking_templates.kit import peers
from booking_templates.kit.db import clock
from booking_templates.kit.peers import PeerResponse, PeerTimeout, PeerUnavailable
from booking_templates.payments import mail_words, notices
from booking_templates.payments.erasure import erase
from booking_templates.ticket import event, moves
from booking_templates.ticket.calling_off import call_off, refund_called_off
from booking_templates.ticket.models import Move, Notice, Order, OrderRefund, Ticket
from booking_templates.ticket.notices import courier
from booking_templates.ticket.saga import saga
from tests.booking_fakes import FakeProvider, FakeSeat
from tests.unit.booking_templates.ticket.conftest import tid_of

JSON = "application/json"
URL = "/api/ticket"
STARTS = timezone.now().replace(microsecond=0) + timedelta(days=20)
Buy = Callable[..., str]
EVENT = {"title": "오페라의 유령", "organiser": {"name": "클로브", "phone": "02-123-4567", "email": "help@example.com"}}


class Auth:
    """Auth's door for mails, and the event's own page, in the place of `kit.peers.call`; the seat service behind them.

    `answers` is a list of what happens to the next mails: None, `away`, `lost` (taken, no answer) or a status.
    """

    def __init__(self, seat: FakeSeat) -> None:
        self.mails: list[dict[str, Any]] = []
        self.sends_mail = True
        self.answers: list[str | int | None] = []
        self.calls = 0
        self._seat = seat

    def call(self, peer: str, method: str, path: str, **sent: Any) -> PeerResponse:
        if peer == "event" and method == "GET":
            return PeerResponse(200, msgspec.json.encode(EVENT))
        if peer != "auth":
            return self._seat.call(peer, method, path, **sent)
        assert path == "/internal/mails"
        self.calls += 1
        if method == "POST":
            answer = self.answers.pop(0) if self.answers else None
            if answer == "away":
                raise PeerUnavailable("auth: fault")
            if isinstance(answer, int):
                return PeerResponse(answer, b"{}")
            self.mails += json.loads(msgspec.json.encode(sent["json"]))["mails"]
            if answer == "lost":
                raise PeerTimeout("auth: fault")
        return PeerResponse(200, msgspec.json.encode({"sends_mail": self.sends_mail}))


@pytest.fixture
def auth(seat: FakeSeat, monkeypatch: pytest.MonkeyPatch) -> Auth:
    fake = Auth(seat)
    monkeypatch.setattr(peers, "call", fake.call)
    monkeypatch.setattr(courier, "_resume_at", 0.0)
    monkeypatch.setattr(courier, "_wait_s", 0.0)
    mail_words.forget_event()
    return fake


@pytest.fixture(autouse=True)
def content(staff_client: Any) -> Callable[..., None]:
    def put(*, title: str = "오페라의 유령", starts: Any = STARTS, policy: Any = "full", venue: str = "샤롯데씨어터") -> None:
        body = {"title": title, "venue": venue, "performances": [{"id": "p1", "starts_at": starts.isoformat()}]}
        assert staff_client.put(f"{URL}/content", body | {"refund_policy": policy}, content_type=JSON).status_code == 200

    put()
    return put


def bring(auth: Auth) -> list[dict[str, Any]]:
    """What the next pass brings."""
    before = len(auth.mails)
    courier.bring()
    return auth.mails[before:]


def kinds() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("kind", flat=True))


def test_a_booking_is_confirmed_once(buy: Buy, auth: Auth, buyer_id: str) -> None:
    order = Order.objects.get(pk=buy())
    (mail,) = bring(auth)
    assert (mail["buyer_id"], mail["language"]) == (buyer_id, "en")
    assert mail["subject"] == f"[오페라의 유령] Booking confirmed ({order.number})"
    for said in ("샤롯데씨어터", timezone.localtime(STARTS).strftime("%H:%M"), "A-1 · R · 150,000 won", "A-2", "Total: 300,000 won"):
        assert said in mail["text"]
    assert "test payment" in mail["text"]
    assert f"http://phantom.localhost:8080/orders/{order.pk}\n" in mail["text"]
    assert mail["text"].endswith("Ask the organiser: 클로브 · 02-123-4567 · help@example.com")
    assert "BEGIN:VEVENT" in mail["calendar"]
    assert (bring(auth), Notice.objects.count()) == ([], 0)


def test_it_speaks_the_language_in_which_was_ordered(
    buy: Buy, auth: Auth, seat: FakeSeat, provider: FakeProvider, buyer_client: Any, buyer_id: str
) -> None:
    korean = {"Accept-Language": "ko-KR,ko;q=0.9"}
    body = {"hold_id": seat.hold(buyer_id, seats=1)}
    order = buyer_client.post(f"{URL}/orders", body, content_type=JSON, headers=korean).json()
    token = provider.authenticate(tid_of(order["id"]))
    buyer_client.get(f"{URL}/payments/{order['id']}/approved", {"pg_token": token})
    (mail,) = bring(auth)
    assert mail["language"] == "ko"
    assert mail["subject"] == f"[오페라의 유령] 예매 완료 ({order['number']})"
    assert "예매가 완료되었습니다." in mail["text"]
    assert "150,000원" in mail["text"]


def test_an_order_of_the_release_before_is_written_to_in_the_systems_language(buy: Buy, auth: Auth) -> None:
    buy()
    Order.objects.update(language="")
    assert bring(auth)[0]["language"] == "ko"


def test_the_notice_stands_with_the_tickets_or_not_at_all(
    auth: Auth, seat: FakeSeat, provider: FakeProvider, buyer_client: Any, buyer_id: str, buy: Buy
) -> None:
    first = buy(seats=1)
    label = Ticket.objects.get(order_id=first).live_seat
    Notice.objects.all().delete()
    hold = seat.hold(buyer_id, seats=1)
    seat.holds[hold].places[0]["seat"] = label  # somebody has the seat: the constraint refuses the tickets
    buy(hold_id=hold)
    assert kinds() == ["undelivered"]


@pytest.mark.parametrize("amount", [100_000, 300_000])
def test_a_payment_that_others_cancelled_before_it_was_booked_is_told_as_that(
    auth: Auth, seat: FakeSeat, provider: FakeProvider, buyer_client: Any, buyer_id: str, recover: Callable[[], None], amount: int
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    tid = tid_of(order["id"])
    provider.approve(tid=tid, order_id=order["id"], buyer_id=buyer_id, token=provider.authenticate(tid))
    provider.cancel_by_hand(tid, amount)
    Order.objects.update(next_at=timezone.now() - timedelta(minutes=1), pay_by=timezone.now())
    recover()
    (mail,) = bring(auth)
    assert "Your payment was cancelled at the payment provider before your booking was completed" in mail["text"]
    assert f"Price: 300,000 won\nGiven back before: {amount:,} won\nRefund: {300_000 - amount:,} won" in mail["text"]


def test_what_others_gave_back_is_told_instead_of_a_fee_that_nobody_keeps(
    buy: Buy, auth: Auth, content: Callable[..., None], buyer_client: Any, provider: FakeProvider
) -> None:
    content(policy={"tiers": [{"days_before": 0, "percent": 10}]})
    order_id = buy(seats=1)
    bring(auth)
    provider.cancel_by_hand(tid_of(order_id), 100_000)
    buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 15_000}, content_type=JSON)
    (mail,) = bring(auth)
    assert "Price: 150,000 won\nGiven back before: 100,000 won\nRefund: 50,000 won" in mail["text"]
    assert "fee" not in mail["text"]


def test_what_goes_back_is_told_when_the_provider_has_said_how_much_that_is(
    buy: Buy, auth: Auth, buyer_client: Any, provider: FakeProvider, recover: Callable[[], None]
) -> None:
    first, second = buy(seats=1), buy(seats=1)
    bring(auth)
    provider.cancel_by_hand(tid_of(first), 100_000)
    provider.faults |= {"cancel": ["unreached"]}
    for order_id in (first, second):
        buyer_client.post(f"{URL}/orders/{order_id}/refunds", {"fee_krw": 0}, content_type=JSON)
    assert ["Refund: 150,000 won" in mail["text"] for mail in bring(auth)] == [True], "the second, which does not wait for the first"
    assert bring(auth) == []
    recover()
    assert ["Given back before: 100,000 won\nRefund: 50,000 won" in mail["text"] for mail in bring(auth)] == [True]


def test_without_a_payment_it_says_where_to_pay(no_provider: None, auth: Auth, seat: FakeSeat, buyer_client: Any, buyer_id: str) -> None:
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    assert "To be paid at the entrance." in bring(auth)[0]["text"]


def test_a_line_break_in_a_title_makes_no_header_and_no_paragraph(buy: Buy, auth: Auth, content: Callable[..., None]) -> None:
    content(title="Phantom\r\nBcc: all@example.com\u2028%(x)s")
    buy()
    (mail,) = bring(auth)
    assert mail["subject"].startswith("[Phantom Bcc: all@example.com")
    assert mail["subject"].isprintable()
    assert "\nBcc" not in mail["text"]
    assert "%(x)s" in mail["text"], "text from outside stays text"


# What goes back


def test_tickets_given_back_in_part_are_told_with_fee_and_what_stays(
    buy: Buy, auth: Auth, buyer_client: Any, content: Callable[..., None]
) -> None:
    content(policy={"tiers": [{"days_before": 0, "percent": 10}]})
    order_id = buy(seats=2)
    gone, kept = Ticket.objects.filter(order_id=order_id).order_by("place")
    bring(auth)
    body = {"fee_krw": 15_000, "tickets": [gone.pk]}
    assert buyer_client.post(f"{URL}/orders/{order_id}/refunds", body, content_type=JSON).status_code == 200
    (mail,) = bring(auth)
    assert "Tickets given back" in mail["subject"]
    for said in ("Price: 150,000 won", "Cancellation fee: 15,000 won", "Refund: 135,000 won", "the way you paid"):
        assert said in mail["text"]
    before, after = mail["text"].split("These stay valid:")
    assert gone.label in before
    assert kept.label not in before
    assert kept.label in after


def test_a_booking_cancelled_whole_is_told(buy: Buy, auth: Auth, buyer_client: Any) -> None:
    order_id = buy()
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    _confirmed, cancelled = bring(auth)
    assert "Booking cancelled" in cancelled["subject"]
    assert "You have cancelled your booking." in cancelled["text"]
    assert "Refund: 300,000 won" in cancelled["text"]
    assert "stay valid" not in cancelled["text"]


def test_what_the_organiser_gives_back_by_hand_is_told_without_the_note(buy: Buy, auth: Auth, staff_client: Any) -> None:
    order_id = buy()
    bring(auth)
    body = {"fee_krw": 0, "why": "illness", "note": "a secret of theirs"}
    assert staff_client.post(f"{URL}/bookings/{order_id}/refunds", body, content_type=JSON).status_code == 201
    (mail,) = bring(auth)
    assert "The organiser has cancelled your booking." in mail["text"]
    assert "secret" not in mail["text"]
    assert "illness" not in mail["text"]


@pytest.mark.parametrize("is_called_off", [True, False])
def test_who_paid_at_the_door_is_told_that_the_organiser_gives_it_back(
    no_provider: None, auth: Auth, seat: FakeSeat, buyer_client: Any, staff_client: Any, buyer_id: str, is_called_off: bool
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id, seats=1)}, content_type=JSON).json()
    key = staff_client.post(f"{URL}/scanners", {"name": "Gate 1"}, content_type=JSON).json()["key"]
    paid = {"payments": [{"code": order["tickets"][0]["code"], "at": clock().isoformat()}]}
    buyer_client.post(f"{URL}/door/payments", paid, content_type=JSON, headers={"X-Scanner-Key": key})
    bring(auth)
    if is_called_off:
        call_off("p1", compensation_percent=10)
        refund_called_off()
    else:
        body = {"fee_krw": 0, "why": "illness", "at_door_krw": 150_000}
        assert staff_client.post(f"{URL}/bookings/{order['id']}/refunds", body, content_type=JSON).status_code == 201
    (mail,) = bring(auth)
    assert "You paid 150,000 won at the entrance. The organiser gives it back" in mail["text"]
    assert "Nothing was charged" not in mail["text"]


def test_where_nothing_was_paid_nothing_is_refunded(
    no_provider: None, auth: Auth, seat: FakeSeat, buyer_client: Any, buyer_id: str
) -> None:
    order = buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()
    buyer_client.post(f"{URL}/orders/{order['id']}/cancel")
    assert "Nothing was charged, so nothing is refunded." in bring(auth)[1]["text"]


def test_a_performance_called_off_is_told_with_what_comes_back(buy: Buy, auth: Auth, buyer_client: Any) -> None:
    buy(seats=1)
    bring(auth)
    call_off("p1", compensation_percent=10)
    refund_called_off()
    (mail,) = bring(auth)
    assert "Performance called off" in mail["subject"]
    for said in ("Refund: 150,000 won", "Compensation: 15,000 won", "클로브 · 02-123-4567"):
        assert said in mail["text"]


def test_who_was_paying_when_it_was_called_off_is_told_that_nothing_was_charged(
    auth: Auth, seat: FakeSeat, provider: FakeProvider, buyer_client: Any, buyer_id: str
) -> None:
    buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON)
    call_off("p1", compensation_percent=10)
    refund_called_off()
    Order.objects.update(next_at=clock())
    saga.recover()
    (mail,) = bring(auth)
    assert "could not be booked" in mail["text"]
    assert "Nothing was charged" in mail["text"]


def test_a_payment_that_found_nothing_any_more_is_told(buy: Buy, auth: Auth, seat: FakeSeat) -> None:
    seat.faults["confirm"] = [(410, "hold_expired")]
    buy()
    (mail,) = bring(auth)
    assert "Booking not completed" in mail["subject"]
    assert "Refund: 300,000 won" in mail["text"]


def test_who_did_not_pay_in_time_is_told_and_who_gave_up_is_not(
    auth: Auth, seat: FakeSeat, provider: FakeProvider, buyer_client: Any, buyer_id: str
) -> None:
    late, given_up = (
        buyer_client.post(f"{URL}/orders", {"hold_id": seat.hold(buyer_id)}, content_type=JSON).json()["id"] for _ in range(2)
    )
    buyer_client.post(f"{URL}/orders/{given_up}/cancel")
    past = clock() - timedelta(minutes=20)
    for _ in range(3):
        Order.objects.filter(next_at__isnull=False).update(next_at=past, pay_by=past)
        saga.recover()
    assert set(Order.objects.values_list("state", flat=True)) == {"CANCELLED"}
    (mail,) = bring(auth)
    assert f"/orders/{late}" in mail["text"]
    assert "not paid for in time" in mail["text"]


# Moved


def told_of_move(auth: Auth) -> list[dict[str, Any]]:
    Move.objects.update(at=clock() - moves.QUIET - timedelta(seconds=1))
    Order.objects.update(issued_at=clock() - timedelta(hours=1))
    for _ in range(3):
        moves.tell()
    return bring(auth)


def test_all_who_booked_are_told_once_that_a_performance_was_moved(
    buy: Buy, auth: Auth, content: Callable[..., None], monkeypatch: pytest.MonkeyPatch, buyer_client: Any
) -> None:
    monkeypatch.setattr(moves, "BATCH", 2)
    orders = {buy(seats=1) for _ in range(3)}
    gone = buy(seats=1)
    buyer_client.post(f"{URL}/orders/{gone}/cancel")
    bring(auth)
    content(starts=STARTS + timedelta(hours=3))
    assert moves.tell() == 0, "the organiser may put it back yet"
    mails = told_of_move(auth)
    assert {order for order in orders for mail in mails if order in mail["text"]} == orders
    assert len(mails) == 3
    was, becomes = (timezone.localtime(STARTS + timedelta(hours=hours)).strftime("%H:%M") for hours in (0, 3))
    assert f"{was}\n" in mails[0]["text"].split("Before:")[1]
    assert f"{becomes}\n" in mails[0]["text"].split("New:")[1]
    assert (Move.objects.count(), told_of_move(auth)) == (0, [])


@pytest.mark.parametrize("changes", [{"starts": STARTS + timedelta(hours=12)}, {"venue": "블루스퀘어"}])
def test_a_slip_that_was_put_right_is_told_to_nobody(buy: Buy, auth: Auth, content: Callable[..., None], changes: dict[str, Any]) -> None:
    buy()
    bring(auth)
    content(**changes)
    content()
    assert (told_of_move(auth), Move.objects.count()) == ([], 0)


def test_who_booked_is_told_that_the_venue_is_another(buy: Buy, auth: Auth, content: Callable[..., None]) -> None:
    order = buy(seats=1)
    bring(auth)
    content(venue="블루스퀘어")
    (mail,) = told_of_move(auth)
    assert order in mail["text"]
    assert "Venue changed" in mail["subject"]
    assert "New: 블루스퀘어\nBefore: 샤롯데씨어터\n" in mail["text"]
    assert "블루스퀘어" in mail["calendar"]
    assert (Move.objects.count(), told_of_move(auth)) == (0, [])


def test_another_time_and_another_venue_are_told_together(buy: Buy, auth: Auth, content: Callable[..., None]) -> None:
    buy(seats=1)
    bring(auth)
    content(venue="블루스퀘어")
    content(venue="블루스퀘어", starts=STARTS + timedelta(hours=3))
    (mail,) = told_of_move(auth)
    assert "Time and venue changed" in mail["subject"]
    assert mail["text"].split("New: ")[1].splitlines()[0].endswith(" · 블루스퀘어")
    assert mail["text"].split("Before: ")[1].splitlines()[0].endswith(" · 샤롯데씨어터")


def test_what_an_earlier_release_noted_says_nothing_of_the_venue(buy: Buy, auth: Auth, content: Callable[..., None]) -> None:
    buy(seats=1)
    bring(auth)
    content(starts=STARTS + timedelta(hours=3))
    Move.objects.update(venue="")
    (mail,) = told_of_move(auth)
    assert "Performance moved" in mail["subject"]
    assert "샤롯데씨어터" not in mail["text"].split("New: ")[1].split("Before: ")[0]


def test_what_is_over_has_no_other_venue(buy: Buy, auth: Auth, content: Callable[..., None]) -> None:
    content(starts=timezone.now() - timedelta(hours=1))
    Move.objects.all().delete()
    content(starts=timezone.now() - timedelta(hours=1), venue="블루스퀘어")
    assert Move.objects.count() == 0


# Bringing


def test_notices_wait_while_auth_is_away_and_nothing_fails(buy: Buy, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    auth.answers = ["away", 404, 503]
    buy()
    for seconds in (1, 2, 4):
        monkeypatch.setattr(courier, "_resume_at", 0.0)
        assert bring(auth) == []
        assert courier._wait_s == seconds, "asked less and less often"
    assert courier.bring() == 0
    assert auth.calls == 6, "not before its time"
    monkeypatch.setattr(courier, "_resume_at", 0.0)
    assert len(bring(auth)) == 1
    assert (courier._wait_s, Notice.objects.count()) == (0.0, 0)


def test_an_answer_that_was_lost_brings_the_same_ids_again(buy: Buy, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    auth.answers = ["lost"]
    buy()
    (first,) = bring(auth)
    monkeypatch.setattr(courier, "_resume_at", 0.0)
    (again,) = bring(auth)
    assert first["id"] == again["id"]


def test_they_are_brought_in_batches_the_oldest_first(buy: Buy, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "BATCH", 2)
    orders = [buy(seats=1) for _ in range(3)]
    found = [bring(auth), bring(auth), bring(auth)]
    assert [len(mails) for mails in found] == [2, 1, 0]
    assert all(order in mail["text"] for order, mail in zip(orders, found[0] + found[1], strict=True))


def test_without_mail_nothing_piles_up(buy: Buy, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "BATCH", 1)
    auth.sends_mail = False
    buy(seats=1)
    buy(seats=1)
    assert (bring(auth), Notice.objects.count()) == ([], 0)


def test_old_news_is_dropped(buy: Buy, auth: Auth) -> None:
    buy(seats=1)
    Notice.objects.update(created_at=clock() - notices.KEEP - timedelta(minutes=1))
    new = buy(seats=1)
    (mail,) = bring(auth)
    assert new in mail["text"]
    assert Notice.objects.count() == 0


def test_a_notice_that_cannot_be_written_holds_nobody_up(buy: Buy, auth: Auth) -> None:
    broken, fine = buy(seats=1), buy(seats=1)
    Order.objects.filter(pk=broken).update(places=[{"label": "A", "price_krw": "x"}])
    (mail,) = bring(auth)
    assert fine in mail["text"]
    assert Notice.objects.count() == 0


def test_a_notice_holds_nothing_of_the_person(buy: Buy, auth: Auth, buyer_id: str) -> None:
    buy()
    Order.objects.update(buyer_name="김하나", buyer_phone="01012345678")
    kept = str(Notice.objects.values().get())
    assert not [each for each in (buyer_id, "김하나", "01012345678") if each in kept]
    erase(saga, buyer_id)
    (mail,) = bring(auth)
    assert mail["buyer_id"].startswith("erased-"), "whom auth does not know"
    assert "김하나" not in str(mail)


def test_a_refund_that_a_silent_provider_keeps_under_way_is_told_as_it_was_decided(
    buy: Buy, auth: Auth, provider: FakeProvider, buyer_client: Any
) -> None:
    order_id = buy()
    bring(auth)
    provider.faults["cancel"] = ["unreached"]
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    assert OrderRefund.objects.get().done_at is None
    assert bring(auth) == []
    Notice.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert "Refund: 300,000 won" in bring(auth)[0]["text"]
    Order.objects.update(next_at=clock())
    saga.recover()
    assert OrderRefund.objects.get().done_at is not None
    assert bring(auth) == [], "once"


def test_the_event_service_away_costs_its_line_alone(buy: Buy, auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(peer: str, method: str, path: str, **sent: Any) -> PeerResponse:
        if peer == "event":
            raise PeerUnavailable("event: fault")
        return auth.call(peer, method, path, **sent)

    monkeypatch.setattr(peers, "call", call)
    event.forget()
    buy()
    (mail,) = bring(auth)
    assert "organiser" not in mail["text"]

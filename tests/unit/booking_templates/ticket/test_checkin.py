"""A ticket is used once, whoever scans it, whenever the scan arrives."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from booking_templates.kit.db import clock
from booking_templates.ticket import codes, event, scan_page
from booking_templates.ticket.models import Performance, Scanner, Ticket

JSON = "application/json"
URL = "/api/ticket"
Buy = Callable[..., str]


@pytest.fixture
def scanner(staff_client: Any) -> Callable[..., dict[str, str]]:
    """`scanner("Gate 1")`: its headers."""

    def make(name: str = "Gate 1") -> dict[str, str]:
        answer = staff_client.post(f"{URL}/scanners", {"name": name}, content_type=JSON)
        assert answer.status_code == 201
        return {"X-Scanner-Key": answer.json()["key"]}

    return make


@pytest.fixture
def ticket(buy: Buy) -> Ticket:
    buy(seats=1)
    return Ticket.objects.get()


def scan(client: Any, headers: dict[str, str], *codes_: Any, performance: str = "", let_in: str = "") -> list[dict[str, Any]]:
    scans = [each if isinstance(each, dict) else {"code": each} for each in codes_]
    path = f"{URL}/scans?let_in={let_in}" if let_in else f"{URL}/scans"
    answer = client.post(path, {"scans": scans, "performance": performance}, content_type=JSON, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_a_ticket_is_admitted_once(client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket) -> None:
    first, second = scanner("Gate 1"), scanner("Gate 2")
    code = codes.sign(ticket)
    (admitted,) = scan(client, first, code)
    assert (admitted["result"], admitted["label"], admitted["buyer_name"]) == ("admitted", ticket.label, "김클로")
    (used,) = scan(client, second, code)
    assert (used["result"], used["used_with"]) == ("used", "Gate 1")
    assert used["used_at"] is not None
    (again,) = scan(client, first, code)
    assert again["result"] == "used"


def test_of_many_doors_at_once_one_admits(client_for: Callable[[str], Any], scanner: Callable[..., dict[str, str]], ticket: Ticket) -> None:
    code, gate, results = codes.sign(ticket), threading.Barrier(8), []
    keys = [scanner(f"Gate {number}") for number in range(8)]

    def door(headers: dict[str, str]) -> None:
        gate.wait()
        results.append(scan(client_for(""), headers, code)[0]["result"])
        connections.close_all()

    threads = [threading.Thread(target=door, args=(key,)) for key in keys]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(results) == ["admitted", *["used"] * 7]


def test_scans_made_offline_are_sent_again_without_harm(client: Any, scanner: Callable[..., dict[str, str]], buy: Buy) -> None:
    buy(seats=3)
    gate = scanner()
    tickets = list(Ticket.objects.order_by("pk"))
    at = clock() - timedelta(minutes=20)
    scans = [{"code": codes.sign(each), "at": (at + timedelta(seconds=index)).isoformat()} for index, each in enumerate(tickets)]
    for _ in range(3):
        assert [result["result"] for result in scan(client, gate, *scans)] == ["admitted"] * 3
    tickets[0].refresh_from_db()
    assert tickets[0].used_at is not None
    assert abs(tickets[0].used_at - at) < timedelta(milliseconds=1)


def test_a_scan_that_comes_late_is_told_who_was_first(client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket) -> None:
    first, late = scanner("Gate 1"), scanner("Gate 2")
    code = codes.sign(ticket)
    scan(client, first, code)
    (result,) = scan(client, late, {"code": code, "at": (clock() - timedelta(hours=1)).isoformat()})
    assert (result["result"], result["used_with"]) == ("used", "Gate 1")


def conflicts(staff_client: Any) -> list[dict[str, Any]]:
    answer = staff_client.get(f"{URL}/door/conflicts")
    assert answer.status_code == 200
    assert answer.json()["total"] == len(answer.json()["conflicts"])
    return answer.json()["conflicts"]


def test_who_was_let_in_offline_with_a_ticket_that_was_used_is_kept_once(
    client: Any, staff_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    first, late = scanner("Gate 1"), scanner("Gate 2")
    code, at = codes.sign(ticket), clock() - timedelta(hours=1)
    scan(client, first, code)
    for _ in range(3):
        assert scan(client, late, {"code": code, "at": at.isoformat()}, let_in="true")[0]["result"] == "used"
    (kept,) = conflicts(staff_client)
    assert (kept["kind"], kept["scanner"], kept["first_with"], kept["label"]) == ("used", "Gate 2", "Gate 1", ticket.label)
    assert (kept["ticket_id"], kept["order_id"], kept["performance_id"]) == (ticket.pk, ticket.order_id, "p1")
    assert abs(datetime.fromisoformat(kept["at"]) - at) < timedelta(milliseconds=1)
    assert kept["first_at"] is not None


def test_who_was_let_in_offline_with_a_cancelled_ticket_is_kept(
    client: Any, buyer_client: Any, staff_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    code = codes.sign(ticket)
    buyer_client.post(f"{URL}/orders/{ticket.order_id}/cancel")
    scan(client, scanner(), {"code": code, "at": (clock() - timedelta(minutes=5)).isoformat()})
    (kept,) = conflicts(staff_client)
    assert (kept["kind"], kept["scanner"], kept["first_at"], kept["first_with"]) == ("cancelled", "Gate 1", None, "")


def test_who_was_not_let_in_is_no_conflict(
    client: Any, buyer_client: Any, staff_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    first, second = scanner("Gate 1"), scanner("Gate 2")
    code, now, before = codes.sign(ticket), clock().isoformat(), (clock() - timedelta(hours=1)).isoformat()
    admitted = {"code": code, "at": before}
    for _ in range(2):
        assert scan(client, first, admitted, let_in="true")[0]["result"] == "admitted", "sent again, it is the same one"
    for seen, let_in in ((code, ""), ({"code": code, "at": now}, ""), ({"code": code, "at": before}, "false")):
        assert scan(client, second, seen, let_in=let_in)[0]["result"] == "used"
    Ticket.objects.update(status=Ticket.Status.CANCELLED)
    assert scan(client, first, admitted, let_in="true")[0]["result"] == "cancelled", "given back since, by the organiser"
    assert conflicts(staff_client) == []
    assert buyer_client.get(f"{URL}/door/conflicts").status_code == 403


def test_a_conflict_says_whether_a_person_decided_of_a_ticket_newer_than_the_list(
    client: Any, staff_client: Any, scanner: Callable[..., dict[str, str]], buy: Buy
) -> None:
    buy(seats=2)
    gate = scanner()
    Ticket.objects.update(status=Ticket.Status.CANCELLED)
    by_list, by_person = ({"code": codes.sign(each), "at": clock().isoformat()} for each in Ticket.objects.order_by("pk"))
    scan(client, gate, by_list, let_in="true")
    for _ in range(2):
        scan(client, gate, by_person, let_in="true&decided=true")
    assert {each["ticket_id"]: each["decided"] for each in conflicts(staff_client)} == {
        codes.verify(by_list["code"]).ticket_id: False,
        codes.verify(by_person["code"]).ticket_id: True,
    }


def test_a_list_says_which_tickets_it_may_have_come_too_early_for(
    client: Any, buyer_client: Any, scanner: Callable[..., dict[str, str]], buy: Buy
) -> None:
    given_back, old, new = (buy(seats=1) for _ in range(3))
    buyer_client.post(f"{URL}/orders/{given_back}/cancel")
    Ticket.objects.filter(order_id=old).update(created_at=clock() - timedelta(hours=1))
    door = client.get(f"{URL}/door", {"performance": "p1"}, headers=scanner()).json()
    ticket = Ticket.objects.get(order_id=new)
    assert door["recent"] == [ticket.pk]
    issued = datetime.fromtimestamp(int(ticket.pk.replace("-", "")[:12], 16) / 1000, UTC)
    assert datetime.fromisoformat(door["recent_since"]) < issued < datetime.fromisoformat(door["as_of"])


def test_conflicts_of_one_ticket_are_bounded(
    client: Any, staff_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    gate, code = scanner(), codes.sign(ticket)
    scan(client, scanner("Gate 2"), code)
    at = clock() - timedelta(hours=1)
    scan(client, gate, *({"code": code, "at": (at + timedelta(seconds=number)).isoformat()} for number in range(30)), let_in="true")
    assert len(conflicts(staff_client)) == 20


def test_a_scanner_whose_clock_is_ahead_is_not_believed(client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket) -> None:
    scan(client, scanner(), {"code": codes.sign(ticket), "at": (clock() + timedelta(hours=3)).isoformat()})
    ticket.refresh_from_db()
    assert ticket.used_at is not None
    assert ticket.used_at <= clock()


def test_a_scan_of_a_clock_far_ahead_is_known_when_it_is_sent_again(
    client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    gate, code = scanner(), codes.sign(ticket)
    seen = {"code": code, "at": (clock() + timedelta(minutes=6)).isoformat()}
    assert [scan(client, gate, seen)[0]["result"] for _ in range(3)] == ["admitted"] * 3
    later = {"code": code, "at": (clock() + timedelta(minutes=7)).isoformat()}
    assert scan(client, gate, later)[0]["result"] == "used"


def test_a_scan_that_an_older_image_took_is_known_when_it_is_sent_again(
    client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    gate, seen = scanner(), {"code": codes.sign(ticket), "at": (clock() - timedelta(minutes=1)).isoformat()}
    assert scan(client, gate, seen)[0]["result"] == "admitted"
    Ticket.objects.update(scanned_at=None)
    assert scan(client, gate, seen)[0]["result"] == "admitted"


def test_a_code_can_be_read_whatever_the_name_of_its_seat(ticket: Ticket) -> None:
    ticket.seat = "🎭" * 80
    assert codes.verify(codes.sign(ticket)).place == "🎭" * 63


def test_what_is_not_to_be_admitted_is_said_by_name(
    client: Any, buyer_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    gate, code = scanner(), codes.sign(ticket)
    assert scan(client, gate, code, performance="p2")[0]["result"] == "other_performance"
    stranger = Ticket(pk="018f0000-0000-7000-8000-000000000000", performance_id="p1", seat="s")
    assert scan(client, gate, codes.sign(stranger))[0]["result"] == "unknown"
    assert scan(client, gate, code[:-2] + "AA")[0] == scan(client, gate, code[:-2] + "AA")[0]
    assert scan(client, gate, code[:-2] + "AA")[0]["result"] == "invalid"
    assert scan(client, gate, "https://example.org")[0]["reason"] == "malformed"
    buyer_client.post(f"{URL}/orders/{ticket.order_id}/cancel")
    assert scan(client, gate, code)[0]["result"] == "cancelled"


def test_a_used_ticket_cannot_be_cancelled(client: Any, buyer_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket) -> None:
    scan(client, scanner(), codes.sign(ticket))
    answer = buyer_client.post(f"{URL}/orders/{ticket.order_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_used")
    assert buyer_client.get(f"{URL}/tickets/{ticket.pk}").json()["used_at"] is not None


def test_a_scanner_knows_what_its_signature_alone_does_not_say(
    client: Any, buyer_client: Any, scanner: Callable[..., dict[str, str]], buy: Buy
) -> None:
    cancelled, kept = buy(seats=1), buy(seats=2)
    buyer_client.post(f"{URL}/orders/{cancelled}/cancel")
    gate = scanner()
    used = Ticket.objects.filter(order_id=kept).order_by("pk")[0]
    scan(client, gate, codes.sign(used))
    door = client.get(f"{URL}/door", {"performance": "p1"}, headers=gate).json()
    assert door["cancelled"] == [Ticket.objects.get(order_id=cancelled).pk]
    assert (door["used"], door["expected"], door["arrived"]) == ([used.pk], 2, 1)
    assert door["keys"][0]["key_id"]
    other = client.get(f"{URL}/door", {"performance": "p2"}, headers=gate).json()
    assert (other["cancelled"], other["used"], other["expected"]) == ([], [], 0)
    whole = client.get(f"{URL}/door", headers=gate).json()
    assert [each["performance"] for each in (door, other, whole)] == ["p1", "p2", ""], "a list says whose it is"


def test_a_key_opens_the_door_until_it_ends_and_can_be_taken_away(
    client: Any, staff_client: Any, buyer_client: Any, scanner: Callable[..., dict[str, str]], ticket: Ticket
) -> None:
    gate = scanner()
    for headers in ({}, {"X-Scanner-Key": "wrong"}, {"X-Scanner-Key": ""}):
        answer = client.get(f"{URL}/door", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "scanner_key")
    assert buyer_client.post(f"{URL}/scanners", {"name": "x"}, content_type=JSON).status_code == 403
    (listed,) = staff_client.get(f"{URL}/scanners").json()["scanners"]
    assert (listed["name"], listed["key"]) == ("Gate 1", None)
    assert gate["X-Scanner-Key"] not in str(Scanner.objects.values())
    Scanner.objects.update(expires_at=clock() - timedelta(seconds=1))
    assert client.get(f"{URL}/door", headers=gate).status_code == 401
    other = scanner("Gate 2")
    staff_client.delete(f"{URL}/scanners/{Scanner.objects.get(name='Gate 2').pk}")
    assert client.get(f"{URL}/door", headers=other).status_code == 401


def test_scans_are_bounded(client: Any, scanner: Callable[..., dict[str, str]]) -> None:
    gate = scanner()
    for scans in ([], [{"code": "x"}] * 201, [{"code": "x" * 1001}], [{"code": "x", "at": "yesterday"}], [{}]):
        answer = client.post(f"{URL}/scans", {"scans": scans}, content_type=JSON, headers=gate)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_the_page_runs_its_own_scripts_alone(client: Any) -> None:
    page = client.get(f"{URL}/scan", headers={"Accept-Language": "ko"})
    assert page["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page["Content-Security-Policy"]
    text = page.content.decode()
    assert '<html lang="ko">' in text
    assert "입장" in text
    texts = [re.search('data-texts="([^"]+)"', each) for each in (text, client.get(f"{URL}/scan").content.decode())]
    korean, english = (json.loads(html.unescape(each[1])) for each in texts if each)
    assert [name for name, words in english.items() if korean[name] == words] == []
    worker = client.get(f"{URL}/scan-worker.js").content.decode()
    assert re.search(r"`\$\{PREFIX\}[0-9a-f]{16}`", worker), "the version of what it keeps"
    for name in ("scan.js", "scan-worker.js", "scan-qr/decode.js", "scan-qr/index.js", *(f"scan-{part}.js" for part in scan_page.PARTS)):
        assert client.get(f"{URL}/{name}")["Content-Type"].startswith("text/javascript")
    assert re.findall(r'"(\w+)"', worker.partition("PARTS = [")[2].partition("]")[0]) == scan_page.PARTS, "the worker keeps each of them"
    assert client.get(f"{URL}/scan-nothing.js").status_code == 404


def test_a_key_is_good_until_some_hours_after_the_last_performance_or_until_the_time_chosen(staff_client: Any) -> None:
    def made(**wanted: Any) -> datetime:
        answer = staff_client.post(f"{URL}/scanners", {"name": "Gate", **wanted}, content_type=JSON)
        assert answer.status_code == 201, answer.json()
        return datetime.fromisoformat(answer.json()["expires_at"])

    now = clock()
    assert timedelta(hours=23) < made() - now < timedelta(hours=25), "while no performance is known"
    first, last, off = (now + timedelta(days=days) for days in (3, 10, 30))
    performances = [
        {"id": "p1", "starts_at": first.isoformat()},
        {"id": "p2", "starts_at": last.isoformat(), "ends_at": (last + timedelta(hours=3)).isoformat()},
        {"id": "p3", "starts_at": off.isoformat()},
    ]
    assert staff_client.put(f"{URL}/content", {"title": "t", "performances": performances}, content_type=JSON).status_code == 200
    Performance.objects.filter(pk="p3").update(cancelled_at=now)
    event.forget()
    assert abs(made() - (last + timedelta(hours=9))) < timedelta(seconds=1)
    chosen = now + timedelta(days=2)
    assert abs(made(until=chosen.isoformat()) - chosen) < timedelta(seconds=1)


@pytest.mark.parametrize("until", ["2020-01-01T00:00:00+09:00", "2999-01-01T00:00:00+09:00", "2090-01-01T00:00:00", "morgen", 5])
def test_a_key_cannot_be_good_until_any_time(staff_client: Any, until: Any) -> None:
    answer = staff_client.post(f"{URL}/scanners", {"name": "Gate", "until": until}, content_type=JSON)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["until"])
    assert not Scanner.objects.exists()

"""Pages without the services they read: a buyer sees what there is, and what is missing."""

from __future__ import annotations

import threading
import time

import pytest

from booking_templates.web.peers import WAITING_MAX, Source


@pytest.mark.parametrize(
    "path", ["/", "/performances/p1", "/checkout/1", "/orders", "/orders/1", "/tickets/1", "/login", "/signup", "/account", "/shop"]
)
def test_every_page_opens_when_no_service_has_ever_answered(client, no_services, path):
    assert client.get(path).status_code == 200


def test_the_event_page_says_what_is_missing(client, no_services):
    page = client.get("/").content.decode()
    assert "The event's description is missing right now" in page
    assert "The performances cannot be loaded right now" in page


def test_without_the_event_service_the_performances_come_from_the_seat_service(client, services):
    del services.documents["/api/event/"]
    page = client.get("/").content.decode()
    assert "The event's description is missing right now" in page
    assert 'href="/performances/p1"' in page


def test_without_the_seat_service_the_dates_come_from_the_event_service(client, services):
    del services.documents["/api/seat/performances"]
    page = client.get("/").content.decode()
    assert "How many seats are left cannot be shown right now" in page
    assert 'href="/performances/p1"' in page
    assert "823" not in page


def test_a_performance_opens_unchecked_when_the_seat_service_never_answered(client, services):
    del services.documents["/api/seat/performances"]
    assert client.get("/performances/p9").status_code == 200


def test_what_was_seen_last_is_shown_while_a_service_is_down_and_what_is_new_when_it_is_back(client, services):
    assert "별의 정거장" in client.get("/").content.decode()
    services.down()
    page = client.get("/").content.decode()
    assert "별의 정거장" in page
    assert "823 left" in page
    assert "may not be the newest" in page
    services.documents["/api/event/"] = {**services.documents["/api/event/"], "title": "Another title"}
    services.up()
    from booking_templates.kit import peers

    peers._circuits.clear()
    page = client.get("/").content.decode()
    assert "Another title" in page
    assert "may not be the newest" not in page


def test_nonsense_from_a_service_counts_as_no_answer(client, services):
    client.get("/")
    services.documents["/api/event/"] = {"title": ["not", "a", "text"]}
    page = client.get("/").content.decode()
    assert "별의 정거장" in page
    assert "may not be the newest" in page


def test_an_unchanged_document_is_not_sent_again(client, services):
    client.get("/")
    client.get("/")
    assert [status for path, status in services.requests if path == "/api/event/"][-1] == "304"


def test_within_its_fresh_time_a_document_is_not_asked_for_again(services):
    source = Source("event", "/api/event/", dict, fresh_s=60)
    assert source.get() == source.get()
    assert len(services.requests) == 1


def slow(services):
    """From now on an answer waits. The events: somebody has asked; the answer may come."""
    is_asked, may_answer = threading.Event(), threading.Event()
    answer = services.answer

    def wait(handler: object) -> None:
        is_asked.set()
        may_answer.wait(5)
        answer(handler)

    services.answer = wait
    return is_asked, may_answer


def test_visitors_do_not_queue_behind_one_slow_answer(services):
    source = Source("event", "/api/event/", dict, fresh_s=0)
    assert source.get()
    is_asked, may_answer = slow(services)
    asking = threading.Thread(target=source.get)
    asking.start()
    assert is_asked.wait(5)
    assert source.get()["title"] == "뮤지컬 〈별의 정거장〉"  # while the other still waits
    may_answer.set()
    asking.join(5)


def test_nobody_waits_for_one_that_did_not_answer_the_last_time(services):
    source = Source("event", "/api/event/", dict, fresh_s=0)
    before = source.get()["title"]
    newer = services.documents.pop("/api/event/") | {"title": "Another title"}
    source.get()
    assert not source.is_answering
    services.documents["/api/event/"] = newer
    is_asked, may_answer = slow(services)
    assert source.get()["title"] == before
    assert is_asked.wait(5)
    may_answer.set()
    until = time.monotonic() + 5
    while not source.is_answering and time.monotonic() < until:
        time.sleep(0.01)
    assert source.last["title"] == "Another title"  # it was asked on, though nobody waited


def test_after_a_quiet_hour_a_few_wait_for_what_is_new_and_a_crowd_does_not(services):
    source = Source("event", "/api/event/", dict, fresh_s=0)
    before = source.get()["title"]
    source._asked_at -= 3600
    services.documents["/api/event/"] = {**services.documents["/api/event/"], "title": "Another title"}
    is_asked, may_answer = slow(services)
    titles = []
    waiting = [threading.Thread(target=lambda: titles.append(source.get()["title"]), daemon=True) for _ in range(1 + WAITING_MAX)]
    waiting[0].start()
    assert is_asked.wait(5)
    for each in waiting[1:]:
        each.start()
    until = time.monotonic() + 5
    while source._waiting._value and time.monotonic() < until:
        time.sleep(0.01)
    assert source.get()["title"] == before  # one more, who has a page to show
    may_answer.set()
    for each in waiting:
        each.join(5)
    assert titles == ["Another title"] * (1 + WAITING_MAX)

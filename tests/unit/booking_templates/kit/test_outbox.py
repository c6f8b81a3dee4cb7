"""What was decided in a transaction reaches the peer after it, at least once, and never if it was undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from django.db import transaction

from booking_templates.kit import outbox
from booking_templates.kit.db import db_now
from booking_templates.kit.models import OutboxMessage

pytestmark = pytest.mark.django_db


def make_due():
    OutboxMessage.objects.update(next_at=db_now() - timedelta(seconds=1))


def test_a_message_is_delivered_once_signed_and_with_a_key(peer, hosts, keys):
    hosts({"ticket:8000": [peer.address]})
    outbox.put("ticket", "/internal/buyers/1/erase", {"why": "closed"})
    number = OutboxMessage.objects.get().pk
    assert outbox.deliver_due() == 1
    assert outbox.deliver_due() == 0
    (request,) = peer.requests
    assert (request["method"], request["path"]) == ("POST", "/internal/buyers/1/erase")
    assert msgspec.json.decode(request["body"]) == {"why": "closed"}
    assert request["headers"]["Idempotency-Key"] == f"outbox-event-{number}"
    assert request["headers"]["Authorization"].startswith("Bearer ")
    assert not OutboxMessage.objects.exists()


def test_what_was_rolled_back_is_never_sent(peer, hosts):
    hosts({"ticket:8000": [peer.address]})
    with transaction.atomic():
        outbox.put("ticket", "/internal/x", {})
        transaction.set_rollback(True)
    assert outbox.deliver_due() == 0
    assert peer.requests == []


def test_what_a_crash_of_the_database_undid_after_a_glance_is_never_sent(peer, hosts, monkeypatch):
    hosts({"ticket:8000": [peer.address]})
    outbox.put("ticket", "/internal/x", {})

    def after_a_crash(read):
        OutboxMessage.objects.all().delete()
        return read()

    monkeypatch.setattr(outbox, "durably", after_a_crash)
    assert outbox.deliver_due() == 0
    assert peer.requests == []


@pytest.mark.parametrize("answer", [404, 422, 500])
def test_a_refusal_is_kept_and_tried_again_later(peer, hosts, answer):
    hosts({"ticket:8000": [peer.address]})
    peer.answers = [answer]
    outbox.put("ticket", "/internal/x", {})
    assert outbox.deliver_due() == 0
    message = OutboxMessage.objects.get()
    assert message.attempts == 1
    assert str(answer) in message.last_error
    assert message.next_at > db_now()
    peer.answers = [200]
    assert outbox.deliver_due() == 0, "its time has not come"
    make_due()
    assert outbox.deliver_due() == 1


def test_waiting_grows_to_a_minute(peer, hosts):
    hosts({"ticket:8000": [peer.address]})
    peer.answers = [404]
    outbox.put("ticket", "/internal/x", {})
    OutboxMessage.objects.update(attempts=50)
    outbox.deliver_due()
    wait = OutboxMessage.objects.get().next_at - db_now()
    assert timedelta(seconds=55) < wait <= timedelta(seconds=60)


def test_a_peer_that_is_away_holds_up_no_other(peer, hosts):
    hosts({"seat:8000": [peer.address]})
    outbox.put("ticket", "/internal/x", {})
    outbox.put("seat", "/internal/y", {})
    assert outbox.deliver_due() == 1
    assert OutboxMessage.objects.get().peer == "ticket"


def test_a_peer_that_this_system_lacks_is_skipped():
    outbox.put("nobody", "/internal/x", {})
    assert not OutboxMessage.objects.exists()


def test_what_is_kept_for_a_peer_waits_without_a_word_until_there_is_one(peer, hosts, settings):
    outbox.put("merch", "/internal/x", {}, is_kept=True)
    whole = settings.ENV
    settings.ENV = replace(whole, peers={name: url for name, url in whole.peers.items() if name != "merch"})
    for _ in range(2):
        outbox.put("merch", "/internal/y", {}, is_kept=True)
    assert outbox.deliver_due() == 0
    assert [message.attempts for message in OutboxMessage.objects.order_by("path")] == [0, 0]
    settings.ENV = whole
    hosts({"merch:8000": [peer.address]})
    assert outbox.deliver_due() == 2


def test_a_clock_that_was_put_back_does_not_keep_a_message_waiting(peer, hosts):
    hosts({"ticket:8000": [peer.address]})
    outbox.put("ticket", "/internal/x", {})
    OutboxMessage.objects.update(next_at=db_now() + timedelta(minutes=5))
    assert outbox.deliver_due() == 1

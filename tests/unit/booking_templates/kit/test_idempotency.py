"""The same request twice changes something once, whatever comes between."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from booking_templates.kit import idempotency
from booking_templates.kit.api import Reply, Request, endpoint, route
from booking_templates.kit.db import db_now
from booking_templates.kit.idempotency import idempotent
from booking_templates.kit.models import IdempotencyRecord, Lease
from booking_templates.kit.principal import BUYER
from booking_templates.kit.problems import Conflict

pytestmark = pytest.mark.django_db
PATH = "/api/test/changes"
before_end: list[object] = []
"""What a test wants to happen inside the transaction of a change, after it."""


@endpoint(auth=BUYER, body=dict, returns={201: dict})
@idempotent
def change(request: Request, body: dict) -> Reply:
    """Make a row (a lease serves as one here)."""
    if body.get("refuse"):
        raise Conflict("refused")
    Lease.objects.create(name=body["name"], holder=request.principal.id, expires_at=db_now())
    for each in before_end:
        each()
    return Reply({"made": body["name"]}, status=201)


@endpoint(auth=BUYER, returns={204: None})
@idempotent
def nothing(request: Request) -> Reply:
    """Answer without a body."""
    return Reply(status=204)


@pytest.fixture(autouse=True)
def _endpoints(serve):
    before_end.clear()
    serve(lambda: route("changes", POST=change), lambda: route("nothing", POST=nothing))


def post(client, name, key="", **body):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(PATH, {"name": name, **body}, content_type="application/json", headers=headers)


def test_the_second_time_the_first_answer_comes_again(buyer_client):
    first, second = post(buyer_client, "a", "k1"), post(buyer_client, "a", "k1")
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (201, {"made": "a"})
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Lease.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(buyer_client):
    post(buyer_client, "a", "k1")
    response = post(buyer_client, "b", "k1")
    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"
    assert not Lease.objects.filter(name="b").exists()


def test_keys_belong_to_their_caller(buyer_client, other_buyer_client):
    assert post(buyer_client, "a", "k1").status_code == 201
    assert "Idempotent-Replayed" not in post(other_buyer_client, "b", "k1")


def test_keys_differ_by_case_and_by_blanks(buyer_client):
    assert post(buyer_client, "a", "key").status_code == 201
    assert post(buyer_client, "b", "KEY").status_code == 201


def test_a_refusal_is_not_kept_so_the_key_may_be_used_again(buyer_client):
    assert post(buyer_client, "a", "k1", refuse=True).status_code == 409
    assert IdempotencyRecord.objects.count() == 0
    assert post(buyer_client, "a", "k1").status_code == 201


def test_without_a_key_each_request_is_its_own(buyer_client):
    assert post(buyer_client, "a").status_code == 201
    assert post(buyer_client, "b").status_code == 201
    assert IdempotencyRecord.objects.count() == 0


def test_a_key_that_is_too_long_is_refused(buyer_client):
    assert post(buyer_client, "a", "k" * 101).json()["code"] == "idempotency_key_too_long"


def test_an_answer_without_a_body_is_replayed_without_one(buyer_client):
    for _ in range(2):
        response = buyer_client.post("/api/test/nothing", headers={"Idempotency-Key": "n"})
        assert (response.status_code, response.content) == (204, b"")


def test_old_records_are_forgotten(buyer_client):
    post(buyer_client, "a", "k1")
    assert idempotency.forget_old() == 0
    IdempotencyRecord.objects.update(created_at=db_now() - timedelta(hours=25))
    assert idempotency.forget_old() == 1


@pytest.mark.django_db(transaction=True)
def test_a_crash_after_the_change_leaves_neither_change_nor_record(buyer_client):
    def crash():
        raise ZeroDivisionError

    before_end.append(crash)
    assert post(buyer_client, "a", "k1").status_code == 500
    assert (Lease.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)
    before_end.clear()
    assert post(buyer_client, "a", "k1").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_many_at_once_with_one_key_change_it_once_and_all_get_the_answer(client_for, keys):
    token = keys.buyer_token("b-1")
    barrier, answers = threading.Barrier(8), []

    def go():
        client = client_for(token)
        barrier.wait()
        answers.append(post(client, "a", "k1"))
        connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 8
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
    assert Lease.objects.count() == 1
    assert connection.vendor

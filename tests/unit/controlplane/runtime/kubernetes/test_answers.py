"""Refusals that an API server gives only in trouble, and what the port makes of each; tests/runtime_contract has the recorded ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine

from controlplane.runtime.errors import Rejected, RuntimeBusy, RuntimeUnavailable
from controlplane.runtime.kubernetes.answers import LONGEST_RETRY_AFTER_S, Answer, failure


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (409, {"message": "the object has been modified", "reason": "Conflict"}, RuntimeBusy),
        (400, {"message": "strict decoding error: unknown field"}, Rejected),
        (413, {"message": "request is too large"}, Rejected),
        (429, {"message": "too many requests"}, RuntimeUnavailable),
        (500, {"message": "etcdserver: leader changed"}, RuntimeUnavailable),
        (503, {"message": "shutting down"}, RuntimeUnavailable),
    ],
)
def test_each_refusal_is_one_of_the_ports_errors(status: int, body: dict[str, Any], error: type[Exception]) -> None:
    assert type(failure(Answer(status, json.dumps(body).encode()), "Deployment seat")) is error


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("86400", LONGEST_RETRY_AFTER_S),
        ("9" * 400, LONGEST_RETRY_AFTER_S),
        ("-1", 0.0),
        ("soon", 0.0),
        ("7.5", 0.0),
        ("Thu, 01 Jan 2026 00:00:12 GMT", 12.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:00:12", 0.0),
    ],
)
def test_when_it_may_be_asked_again_is_told_and_bounded(said: str, seconds: float) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        assert failure(Answer(429, b"{}", (), said)).retry_after_s == seconds


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b"\xff\xfe"])
def test_an_answer_that_is_no_status_is_a_passing_failure(body: bytes) -> None:
    assert isinstance(failure(Answer(502, body)), RuntimeUnavailable)


def test_what_a_secret_holds_is_not_repeated() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "data[x y]", "message": "Invalid value: s3cret"}]
    body = {"message": 'Secret "s" is invalid: Invalid value: s3cret', "reason": "Invalid", "details": {"causes": causes}}

    error = failure(Answer(422, json.dumps(body).encode()), "Secret s")

    assert "s3cret" not in error.reason
    assert "data[x y]" in error.reason

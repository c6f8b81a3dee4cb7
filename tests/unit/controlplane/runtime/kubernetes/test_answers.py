"""Refusals that an API server gives only in trouble, and what the port makes of each; tests/runtime_contract has the recorded ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.runtime.errors import Rejected, RuntimeBusy, RuntimeUnavailable
from controlplane.runtime.kubernetes.answers import Answer, failure


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


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b"\xff\xfe"])
def test_an_answer_that_is_no_status_is_a_passing_failure(body: bytes) -> None:
    assert isinstance(failure(Answer(502, body)), RuntimeUnavailable)


def test_what_a_secret_holds_is_not_repeated() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "data[x y]", "message": "Invalid value: s3cret"}]
    body = {"message": 'Secret "s" is invalid: Invalid value: s3cret', "reason": "Invalid", "details": {"causes": causes}}

    error = failure(Answer(422, json.dumps(body).encode()), "Secret s")

    assert "s3cret" not in error.reason
    assert "data[x y]" in error.reason

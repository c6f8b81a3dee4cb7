"""Refusals as an API server 1.36 words them, and what the port makes of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.runtime.errors import Forbidden, OwnedByAnother, QuotaFull, Rejected, RuntimeBusy, RuntimeUnavailable, Unsupported
from controlplane.runtime.kubernetes.answers import Answer, failure

CONFLICT = {
    "kind": "Status",
    "message": 'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale": .spec.replicas',
    "reason": "Conflict",
    "details": {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kube-controller-manager" with subresource "scale" using apps/v1',
                "field": ".spec.replicas",
            }
        ]
    },
}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"message": "Unauthorized"}, Forbidden),
        (403, {"message": 'deployments.apps "x" is forbidden: User "u" cannot patch resource "deployments"'}, Forbidden),
        (403, {"message": 'pods "x" is forbidden: exceeded quota: booking, requested: pods=1'}, QuotaFull),
        (403, {"message": 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged'}, Rejected),
        (
            403,
            {"message": "unable to create new content", "details": {"causes": [{"reason": "NamespaceTerminating"}]}},
            RuntimeBusy,
        ),
        (404, {"message": 'namespaces "x" not found', "details": {"kind": "namespaces"}}, RuntimeBusy),
        (404, {"message": "the server could not find the requested resource"}, Unsupported),
        (409, CONFLICT, OwnedByAnother),
        (409, {"message": "the object has been modified", "reason": "Conflict"}, RuntimeBusy),
        (422, {"message": "spec.selector: Invalid value: field is immutable"}, Rejected),
        (400, {"message": "strict decoding error: unknown field"}, Rejected),
        (413, {"message": "request is too large"}, Rejected),
        (429, {"message": "too many requests"}, RuntimeUnavailable),
        (500, {"message": "failed to create typed patch object: .spec.teleport: field not declared in schema"}, Rejected),
        (500, {"message": "etcdserver: leader changed"}, RuntimeUnavailable),
        (503, {"message": "shutting down"}, RuntimeUnavailable),
    ],
)
def test_each_refusal_is_one_of_the_ports_errors(status: int, body: dict[str, Any], error: type[Exception]) -> None:
    assert type(failure(Answer(status, json.dumps(body).encode()), "Deployment seat")) is error


def test_a_conflict_names_the_manager_and_the_field() -> None:
    error = failure(Answer(409, json.dumps(CONFLICT).encode()), "Deployment seat")

    assert isinstance(error, OwnedByAnother)
    assert error.owner == "kube-controller-manager"
    assert error.reason == "Deployment seat: .spec.replicas is managed by kube-controller-manager."


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b"\xff\xfe"])
def test_an_answer_that_is_no_status_is_a_passing_failure(body: bytes) -> None:
    assert isinstance(failure(Answer(502, body)), RuntimeUnavailable)


def test_what_a_secret_holds_is_not_repeated() -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "data[x y]", "message": "Invalid value: s3cret"}]
    body = {"message": 'Secret "s" is invalid: Invalid value: s3cret', "reason": "Invalid", "details": {"causes": causes}}

    error = failure(Answer(422, json.dumps(body).encode()), "Secret s")

    assert "s3cret" not in error.reason
    assert "data[x y]" in error.reason


def test_warnings_are_read_without_code_and_agent() -> None:
    answer = Answer(200, b"{}", ('299 - "would violate PodSecurity \\"restricted:latest\\""', "nonsense"))

    assert answer.warnings == ('would violate PodSecurity "restricted:latest"',)

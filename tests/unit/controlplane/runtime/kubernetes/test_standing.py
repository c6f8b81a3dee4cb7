"""What of an object cannot be taken back once it stands."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.runtime.kubernetes.standing import fitted


def claim(size: str) -> dict[str, Any]:
    return {"kind": "PersistentVolumeClaim", "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}}


@pytest.mark.parametrize(
    ("wanted", "there", "applied"),
    [("1Gi", "2Gi", "2Gi"), ("2Gi", "1Gi", "2Gi"), ("1024Mi", "1Gi", "1024Mi"), ("900Mi", "1Gi", "1Gi"), ("9Gi", "10Gi", "10Gi")],
)
def test_a_claim_only_grows(wanted: str, there: str, applied: str) -> None:
    assert fitted(claim(wanted), claim(there)) == claim(applied)
    assert fitted(claim(wanted), None) == claim(wanted)


@pytest.mark.parametrize("there", ["OrderedReady", "Parallel"])
@pytest.mark.parametrize("wanted", [{}, {"podManagementPolicy": "Parallel"}])
def test_a_stateful_set_keeps_its_order(there: str, wanted: dict[str, str]) -> None:
    item, found = ({"kind": "StatefulSet", "spec": {"replicas": 1, **said}} for said in (wanted, {"podManagementPolicy": there}))

    assert fitted(item, found)["spec"].get("podManagementPolicy", "OrderedReady") == there
    assert fitted(item, None) == item


def test_what_may_change_is_as_it_is_wanted() -> None:
    item = {"kind": "Deployment", "spec": {"replicas": 1}}

    assert fitted(item, {"kind": "Deployment", "spec": {"replicas": 5}}) is item

"""A service calls only whom the catalog names for it: it has no other's address, and a cluster's network lets it through to no other."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from booking_templates import catalog

SERVICES = Path(__file__).resolve().parents[2] / "booking_templates"
CALLS = {"peers.call", "outbox.put", "Source"}
"""Whatever takes the name of a peer as its first argument."""
PAID = ("ticket", "merch")
"""Services that `payments` is a part of."""


def named_peers(service: str) -> Iterator[tuple[str, str]]:
    """File and peer of each call that names its peer in place."""
    shared = (SERVICES / "payments").rglob("*.py") if service in PAID else ()
    for path in sorted([*(SERVICES / service).rglob("*.py"), *shared]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split("[")[0] in CALLS and node.args:
                peer = node.args[0]
                if isinstance(peer, ast.Constant):
                    yield path.name, str(peer.value)


def declared() -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for image in catalog.IMAGES:
        found[image.service] |= set(image.calls)
    return found


@pytest.mark.parametrize("service", sorted(declared()))
def test_a_service_calls_only_whom_the_catalog_names(service: str) -> None:
    assert {peer for _file, peer in named_peers(service)} <= declared()[service], list(named_peers(service))


def test_calls_are_found_at_all() -> None:
    assert {"seat", "merch"} <= {peer for _file, peer in named_peers("ticket")}
    assert {"event", "seat"} <= {peer for _file, peer in named_peers("web")}
    assert {"auth", "event"} <= {peer for _file, peer in named_peers("merch")}

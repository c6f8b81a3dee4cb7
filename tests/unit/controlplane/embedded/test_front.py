"""The front before a cluster: which Service a request goes to, and the address by which pods reach this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.embedded import front
from controlplane.embedded.front import Routing, address_here, changes
from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.local.router.server import Router


def service(
    name: str, path: str, *, namespace: str = "clove-1", host: str = "phantom.localhost", address: str = "10.96.0.7"
) -> dict[str, Any]:
    annotations = {"clove.dev/host": host, "clove.dev/path": path}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations if path else {}}
    return {"metadata": metadata, "spec": {"clusterIP": address, "ports": [{"port": 8000}]}}


def place(router: Router, host: str, path: str) -> tuple[str, str, int] | None:
    route = router.routes.match(host.encode(), path.encode())
    upstream = route.backend.pick() if route else None
    return (route.backend.service, upstream.address, upstream.port) if route and upstream else None


def test_the_longest_path_of_the_host_decides() -> None:
    router = Router()
    Routing(router).take([service("web", "/"), service("seat", "/api/seat", address="10.96.0.8")])

    assert place(router, "phantom.localhost:8080", "/api/seat/plan") == ("seat", "10.96.0.8", 8000)
    assert place(router, "phantom.localhost", "/api/seats") == ("web", "10.96.0.7", 8000)
    assert place(router, "other.localhost", "/") is None


def test_services_without_a_path_or_an_address_lead_nowhere() -> None:
    router = Router()
    Routing(router).take([service("mariadb", ""), service("web", "/", address="None")])

    assert place(router, "phantom.localhost", "/") is None


def test_what_is_gone_is_routed_no_longer_and_what_moved_is_found() -> None:
    router = Router()
    routing = Routing(router)
    routing.take([service("web", "/"), service("web", "/", namespace="clove-2", host="aida.localhost")])
    routing.take([service("web", "/", address="10.96.0.9")])

    assert place(router, "phantom.localhost", "/") == ("web", "10.96.0.9", 8000)
    assert place(router, "aida.localhost", "/") is None


def test_routes_that_stay_are_left_alone() -> None:
    """Their connections stay open."""
    router = Router()
    routing = Routing(router)
    routing.take([service("web", "/")])
    before = router.routes.match(b"phantom.localhost", b"/")
    routing.take([service("web", "/"), service("web", "/", namespace="clove-2", host="aida.localhost")])

    assert router.routes.match(b"phantom.localhost", b"/") is before


class Cluster:
    """Answers lists one after the other; its watch tells of one change, and its second list breaks off."""

    def __init__(self, nodes: list[str] = []) -> None:  # noqa: B006 - never changed
        self.lists: Iterator[list[str] | None] = iter([["a"], None, ["a", "b"]])
        self.nodes = nodes

    def items_with_version(self, *_: Any, **__: Any) -> tuple[list[str], str]:
        found = next(self.lists)
        if found is None:
            raise RuntimeUnavailable("it is away")
        return found, "7"

    def watch(self, *_: Any, **__: Any) -> Iterator[dict[str, str]]:
        yield from ({"type": "BOOKMARK"}, {"type": "ADDED"}, {"type": "ADDED"})

    def items(self, *_: Any, **__: Any) -> list[Any]:
        addresses = [[{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": address}] for address in self.nodes]
        return [{"status": {"addresses": each}} for each in addresses] + [{}]


def test_a_change_or_a_break_is_followed_by_another_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "GATHER_S", 0)
    monkeypatch.setattr(front, "RETRY_S", 0)
    seen = changes(Cluster())  # type: ignore[arg-type]

    assert [next(seen), next(seen)] == [["a"], ["a", "b"]]


@pytest.mark.parametrize(("nodes", "address"), [(["192.0.2.1", "127.0.0.1"], "127.0.0.1"), (["192.0.2.1"], ""), ([], "")])
def test_the_address_is_that_of_the_node_that_this_machine_is(nodes: list[str], address: str) -> None:
    assert address_here(Cluster(nodes)) == address  # type: ignore[arg-type]

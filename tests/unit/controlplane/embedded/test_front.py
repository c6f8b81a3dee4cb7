"""The front before a cluster: which pod a request goes to, and the address by which pods reach this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.embedded import front
from controlplane.embedded.front import Routing, address_here, changes
from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.kubernetes.resources import Resource
from controlplane.runtime.local.router.server import Router

WEB, SEAT = ("10.244.0.7", 8000), ("10.244.0.8", 8000)


def service(name: str, path: str, *, namespace: str = "clove-1", host: str = "phantom.localhost") -> dict[str, Any]:
    annotations = {"clove.dev/host": host, "clove.dev/path": path}
    return {"metadata": {"name": name, "namespace": namespace, "annotations": annotations if path else {}}}


def slice_of(
    service: str, *addresses: str, name: str = "", namespace: str = "clove-1", ready: bool | None = True, serving: bool | None = True
) -> dict[str, Any]:
    metadata = {"name": name or f"{service}-x", "namespace": namespace, "labels": {"kubernetes.io/service-name": service}}
    conditions = {"ready": ready, "serving": serving}
    endpoints = [{"addresses": [address], "conditions": conditions} for address in addresses]
    return {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": 8000}]}


def routing_to(router: Router, *services: dict[str, Any], slices: list[dict[str, Any]] | None = None) -> Routing:
    routing = Routing(router)
    routing.take_services({"clove-1": services})
    routing.take_slices({"clove-1": slices or [slice_of("web", WEB[0]), slice_of("seat", SEAT[0])]})
    return routing


def place(router: Router, host: str, path: str) -> tuple[str, str, int] | None:
    route = router.routes.match(host.encode(), path.encode())
    upstream = route.backend.pick() if route else None
    return (route.backend.service, upstream.address, upstream.port) if route and upstream else None


def test_the_longest_path_of_the_host_decides() -> None:
    router = Router()
    routing_to(router, service("web", "/"), service("seat", "/api/seat"))

    assert place(router, "phantom.localhost:8080", "/api/seat/plan") == ("seat", *SEAT)
    assert place(router, "phantom.localhost", "/api/seats") == ("web", *WEB)
    assert place(router, "other.localhost", "/") is None


def test_services_without_a_path_lead_nowhere() -> None:
    router = Router()
    routing_to(router, service("mariadb", ""), slices=[slice_of("mariadb", "10.244.0.9")])

    assert place(router, "phantom.localhost", "/") is None


def test_pods_that_are_known_before_their_service_are_found() -> None:
    router = Router()
    routing = Routing(router)
    routing.take_slices({"clove-1": [slice_of("web", WEB[0])]})
    routing.take_services({"clove-1": [service("web", "/")]})

    assert place(router, "phantom.localhost", "/") == ("web", *WEB)


def test_what_is_gone_is_routed_no_longer_and_what_moved_is_found() -> None:
    router = Router()
    routing = routing_to(router, service("web", "/"))
    routing.take_services({"clove-2": [service("web", "/", namespace="clove-2", host="aida.localhost")]})
    routing.take_slices({"clove-2": [slice_of("web", "10.244.0.20")]})
    assert place(router, "aida.localhost", "/") == ("web", "10.244.0.20", 8000)

    routing.take_services({"clove-2": []})
    routing.take_slices({"clove-2": [], "clove-1": [slice_of("web", "10.244.0.21")]})

    assert place(router, "phantom.localhost", "/") == ("web", "10.244.0.21", 8000)
    assert place(router, "aida.localhost", "/") is None


def test_routes_that_stay_are_left_alone() -> None:
    """Their connections stay open."""
    router = Router()
    routing = routing_to(router, service("web", "/"))
    before = router.routes.match(b"phantom.localhost", b"/")
    routing.take_services({"clove-1": [service("web", "/")]})
    routing.take_slices({"clove-1": [slice_of("web", WEB[0])]})

    assert router.routes.match(b"phantom.localhost", b"/") is before


@pytest.mark.parametrize(
    ("slices", "addresses"),
    [
        ([slice_of("web", "10.0.0.1", "10.0.0.2")], {"10.0.0.1", "10.0.0.2"}),
        ([slice_of("web", "10.0.0.1", name="a"), slice_of("web", "10.0.0.2", name="b")], {"10.0.0.1", "10.0.0.2"}),
        ([slice_of("web", "10.0.0.1", ready=None)], {"10.0.0.1"}),
        ([slice_of("web", "10.0.0.1", name="a", ready=False), slice_of("web", "10.0.0.2", name="b")], {"10.0.0.2"}),
        ([slice_of("web", "10.0.0.1", ready=False)], {"10.0.0.1"}),
        ([slice_of("web", "10.0.0.1", ready=False, serving=False)], {None}),
        ([slice_of("web", "10.0.0.1") | {"ports": [{"name": "http", "port": None}]}], {None}),
        ([slice_of("web", "a.example") | {"addressType": "FQDN"}], {None}),
        ([slice_of("web") | {"endpoints": None}], {None}),
    ],
)
def test_ready_pods_answer_and_while_there_is_none_those_that_end(slices: list[dict[str, Any]], addresses: set[str | None]) -> None:
    router = Router()
    routing_to(router, service("web", "/"), slices=slices)
    found = [place(router, "phantom.localhost", "/") for _ in range(2)]

    assert {each[1] if each else None for each in found} == addresses


def item(name: str, *, namespace: str = "clove-1", text: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "resourceVersion": "8"}, "text": text}


class Cluster:
    """Answers lists and watches one after the other; None stands for one that breaks off."""

    def __init__(self, *, lists: list[Any] = [], watches: list[Any] = [], nodes: list[str] = []) -> None:  # noqa: B006 - never changed
        self.lists, self.watches, self.nodes = iter(lists), iter(watches), nodes
        self.versions: list[str] = []

    def items_with_version(self, *_: Any, **__: Any) -> tuple[list[Any], str]:
        found = next(self.lists)
        if found is None:
            raise RuntimeUnavailable("it is away")
        return found, "7"

    def watch(self, _resource: Resource, version: str, **_: Any) -> Iterator[dict[str, Any]]:
        self.versions.append(version)
        for event in next(self.watches):
            if event is None:
                raise RuntimeUnavailable("it fell silent")
            yield event

    def items(self, *_: Any, **__: Any) -> list[Any]:
        addresses = [[{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": address}] for address in self.nodes]
        return [{"status": {"addresses": each}} for each in addresses] + [{}]


def told(cluster: Cluster, count: int) -> list[dict[str, list[str]]]:
    """Names and texts by namespace, as COUNT changes tell them."""
    seen = changes(cluster, front.SERVICE)  # type: ignore[arg-type]
    each = [next(seen) for _ in range(count)]
    return [{one: [x["metadata"]["name"] + x["text"] for x in items] for one, items in changed.items()} for changed in each]


def test_events_are_told_by_namespace_and_a_watch_goes_on_where_it_ended() -> None:
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
    first = [{"type": "ADDED", "object": item("b")}, {"type": "MODIFIED", "object": item("a", text="!")}, bookmark]
    second = [{"type": "DELETED", "object": item("a")}, {"type": "DELETED", "object": item("b")}]
    cluster = Cluster(lists=[[item("a"), item("c", namespace="clove-2")]], watches=[first, second])

    assert told(cluster, 5) == [
        {"clove-1": ["a"], "clove-2": ["c"]},
        {"clove-1": ["a", "b"]},
        {"clove-1": ["b", "a!"]},
        {"clove-1": ["b"]},
        {"clove-1": []},
    ]
    assert cluster.versions == ["7", "9"]


@pytest.mark.parametrize("end", [None, {"type": "ERROR", "object": {"code": 410}}])
def test_after_a_break_only_what_differs_is_told(monkeypatch: pytest.MonkeyPatch, end: Any) -> None:
    monkeypatch.setattr(front, "RETRY_S", 0)
    two, other = [item("a"), item("z", namespace="clove-2")], item("a", namespace="clove-3")
    cluster = Cluster(lists=[None, two, [*two[:1], other]], watches=[[{"type": "ADDED", "object": item("b")}, end]])

    assert told(cluster, 3)[1:] == [{"clove-1": ["a", "b"]}, {"clove-1": ["a"], "clove-2": [], "clove-3": ["a"]}]


def test_all_is_listed_again_in_time_whatever_events_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "LIST_S", 0)

    assert told(Cluster(lists=[[item("a")], [item("a"), item("b")]]), 2) == [{"clove-1": ["a"]}, {"clove-1": ["a", "b"]}]


@pytest.mark.parametrize(("nodes", "address"), [(["192.0.2.1", "127.0.0.1"], "127.0.0.1"), (["192.0.2.1"], ""), ([], "")])
def test_the_address_is_that_of_the_node_that_this_machine_is(nodes: list[str], address: str) -> None:
    assert address_here(Cluster(nodes=nodes)) == address  # type: ignore[arg-type]

"""What stands before a cluster with ROUTING=service, on a machine that is one of its nodes: `python -m controlplane.embedded.front`.

Leads buyers to the pods of Services by the annotations of these, as a Gateway does by an HTTPRoute. It goes by EndpointSlices, as ingress
controllers do: a node's proxy learns of a pod up to a second later, and of one that ends too. Only a node reaches pods.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

import uvloop

from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.kubernetes import Api, configuration
from controlplane.runtime.kubernetes.resources import BY_KIND, NODE, Resource
from controlplane.runtime.kubernetes.routing import HOST_ANNOTATION, PATH_ANNOTATION
from controlplane.runtime.local.router.server import AddressInUse, Router, raise_file_limit
from controlplane.runtime.local.router.table import Absence, Backend, Route
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL

log = logging.getLogger(__name__)

SERVICE = BY_KIND["Service"]
ENDPOINT_SLICE = Resource("EndpointSlice", "discovery.k8s.io/v1", "endpointslices")
"""Made by the cluster for each Service, with its labels."""
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
SELECTOR = f"{MANAGED_LABEL}={MANAGED_BY}"
SILENCE_S = 10.0
"""The server is asked to end a watch before that, so a longer silence is a dead connection."""
LIST_S = 30.0
"""All are listed again after so long: at most that long is a change unknown that no event told."""
RETRY_S = 2.0

Item = Mapping[str, Any]
Changed = Mapping[str, Sequence[Item]]
"""Namespace -> all its objects of a kind."""


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    api = Api(configuration(context=os.environ.get("CLOVE_KUBE_CONTEXT", "")))
    if arguments.address:
        return _tell_address(api)
    router = Router(trusted=tuple(arguments.proxy or ()))
    try:
        router.bind(("127.0.0.1", "::1"), arguments.port)
    except AddressInUse as error:
        print(f"clove: {error.address} is in use by another program", file=sys.stderr)
        return 2
    raise_file_limit()
    uvloop.run(_serve(router, api))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m controlplane.embedded.front", description="Leads buyers to a cluster's Services.")
    parser.add_argument("--port", type=int, default=8080, help="where buyers come in (0: any free one)")
    parser.add_argument(
        "--proxy", action="append", type=ip_network, help="CIDR of one's own proxies, whose X-Forwarded-For counts, repeatable"
    )
    parser.add_argument("--address", action="store_true", help="only print the address by which pods reach this machine")
    return parser.parse_args()


def _tell_address(api: Api) -> int:
    try:
        address = address_here(api)
    except RuntimeFailure as failure:
        print(failure.reason, file=sys.stderr)
        return 1
    if not address:
        print("This machine is no node of the cluster.", file=sys.stderr)
        return 1
    print(address)
    return 0


def address_here(api: Api) -> str:
    """The address of the node that this machine is; empty when it is none. Raises RuntimeFailure."""
    addresses = (one for node in api.items(NODE) for one in node.get("status", {}).get("addresses") or ())
    return next((one["address"] for one in addresses if one["type"] == "InternalIP" and _is_own(one["address"])), "")


def _is_own(address: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return True
    return False


async def _serve(router: Router, api: Api) -> None:
    ends, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ends.set)
    routing = Routing(router)
    await router.start()

    def look(resource: Resource, take: Callable[[Changed], None]) -> None:
        for changed in changes(api, resource):
            loop.call_soon_threadsafe(take, changed)

    for resource, take in ((SERVICE, routing.take_services), (ENDPOINT_SLICE, routing.take_slices)):
        threading.Thread(target=look, args=(resource, take), name=resource.plural, daemon=True).start()
    await ends.wait()
    await router.stop()


def changes(api: Api, resource: Resource) -> Iterator[Changed]:
    """All of Clove's objects of RESOURCE, of each namespace where something is not as it was told before; endlessly."""
    known: dict[str, dict[str, Item]] = {}
    while True:
        try:
            items, version = api.items_with_version(resource, selector=SELECTOR)
            listed: dict[str, dict[str, Item]] = defaultdict(dict)
            for item in items:
                listed[item["metadata"]["namespace"]][item["metadata"]["name"]] = item
            before, known = known, listed
            yield {one: list(listed.get(one, {}).values()) for one in {*before, *listed} if before.get(one, {}) != listed.get(one, {})}
            listed_at = time.monotonic()
            while version and time.monotonic() < listed_at + LIST_S:
                for event in api.watch(resource, version, selector=SELECTOR, silence_s=SILENCE_S, metadata_only=False):
                    item = event.get("object") or {}
                    if event.get("type") == "ERROR":  # 410 Gone, as a rule: only a list helps
                        version = ""
                        break
                    version = item["metadata"]["resourceVersion"]
                    if event.get("type") != "BOOKMARK":
                        namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
                        of_namespace = known.setdefault(namespace, {})
                        of_namespace.pop(name, None)
                        if event.get("type") != "DELETED":
                            of_namespace[name] = item
                        yield {namespace: list(of_namespace.values())}
            if not version:
                time.sleep(RETRY_S)
        except RuntimeFailure as failure:
            log.warning("%s: %s", resource.plural, failure.reason)
            time.sleep(RETRY_S)


class Routing:
    """Keeps ROUTER's table as the Services say, and their backends as the EndpointSlices do."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._routes: dict[str, list[tuple[str, str, str]]] = {}
        self._backends: dict[tuple[str, str], Backend] = {}
        self._places: dict[str, dict[str, list[tuple[str, int]]]] = {}

    def take_services(self, changed: Changed) -> None:
        """CHANGED: all that each of these namespaces has."""
        for namespace, items in changed.items():
            wanted = sorted((*where, item["metadata"]["name"]) for item in items if (where := _where(item)))
            if wanted == self._routes.get(namespace, []):
                continue
            self._router.set_routes(
                namespace, [Route(host, path, is_exact=False, backend=self._to(namespace, name)) for host, path, name in wanted]
            )
            if wanted:
                self._routes[namespace] = wanted
            else:
                del self._routes[namespace]
            kept = {name for _, _, name in wanted}
            for key in [key for key in self._backends if key[0] == namespace and key[1] not in kept]:
                self._backends.pop(key).serve_at((), Absence.STOPPED)

    def take_slices(self, changed: Changed) -> None:
        """CHANGED: all that each of these namespaces has."""
        for namespace, items in changed.items():
            before, self._places[namespace] = self._places.get(namespace, {}), _places(items)
            for name in before.keys() | self._places[namespace].keys():
                backend = self._backends.get((namespace, name))
                if backend and before.get(name) != self._places[namespace].get(name):
                    backend.serve_at(self._places[namespace].get(name, ()), Absence.STARTING)
            if not items:
                del self._places[namespace]

    def _to(self, namespace: str, service: str) -> Backend:
        backend = self._backends.get((namespace, service))
        if backend is None:
            backend = self._backends[namespace, service] = self._router.backend(namespace, service)
            backend.serve_at(self._places.get(namespace, {}).get(service, ()), Absence.STARTING)
        return backend


def _where(service: Item) -> tuple[str, str] | None:
    """Host and path that lead to SERVICE."""
    annotations = service["metadata"].get("annotations") or {}
    if HOST_ANNOTATION not in annotations or PATH_ANNOTATION not in annotations:
        return None
    return annotations[HOST_ANNOTATION].lower(), annotations[PATH_ANNOTATION]


def _places(slices: Sequence[Item]) -> dict[str, list[tuple[str, int]]]:
    """Service -> where its pods answer: those that are ready; while none is, those that still serve though they are to end."""
    ready: dict[str, set[tuple[str, int]]] = defaultdict(set)
    ending: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for item in slices:
        service = (item["metadata"].get("labels") or {}).get(SERVICE_NAME_LABEL, "")
        port = next((port["port"] for port in item.get("ports") or () if port.get("port")), None)
        if port is None or item.get("addressType") == "FQDN":
            continue
        for endpoint in item.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            # Each of these may be null, which stands for yes in the first and for what `ready` says in the second.
            if conditions.get("ready") is not False:
                ready[service].add((endpoint["addresses"][0], port))
            elif conditions.get("serving"):
                ending[service].add((endpoint["addresses"][0], port))
    return {service: sorted(ready[service] or ending[service]) for service in ready.keys() | ending.keys()}


if __name__ == "__main__":
    sys.exit(main())

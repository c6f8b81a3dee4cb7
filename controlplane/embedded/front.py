"""What stands before a cluster with ROUTING=service, on a machine that is one of its nodes: `python -m controlplane.embedded.front`.

Leads buyers to Services by their annotations, as a Gateway does by an HTTPRoute. Only a node reaches a Service's own address.
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
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import uvloop

from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.kubernetes import Api, configuration
from controlplane.runtime.kubernetes.resources import BY_KIND, NODE
from controlplane.runtime.kubernetes.routing import HOST_ANNOTATION, PATH_ANNOTATION
from controlplane.runtime.local.router.server import AddressInUse, Router, raise_file_limit
from controlplane.runtime.local.router.table import Absence, Backend, Route
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL

log = logging.getLogger(__name__)

SERVICE = BY_KIND["Service"]
SELECTOR = f"{MANAGED_LABEL}={MANAGED_BY}"
SILENCE_S = 2.5
"""The server ends the watch before that, and all are listed again: so long at most is a change unknown that no event told."""
RETRY_S = 2.0
GATHER_S = 0.1
"""The Services of a system come one after the other."""

Item = Mapping[str, Any]


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    api = Api(configuration(context=os.environ.get("CLOVE_KUBE_CONTEXT", "")))
    if arguments.address:
        return _tell_address(api)
    router = Router()
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

    def look() -> None:
        for items in changes(api):
            loop.call_soon_threadsafe(routing.take, items)

    threading.Thread(target=look, name="services", daemon=True).start()
    await ends.wait()
    await router.stop()


def changes(api: Api) -> Iterator[list[dict[str, Any]]]:
    """All Services of Clove's, now and whenever one of them changed; endlessly."""
    while True:
        try:
            items, version = api.items_with_version(SERVICE, selector=SELECTOR)
            yield items
            for event in api.watch(SERVICE, version, selector=SELECTOR, silence_s=SILENCE_S):
                if event.get("type") != "BOOKMARK":
                    time.sleep(GATHER_S)
                    break
        except RuntimeFailure as failure:
            log.warning("services: %s", failure.reason)
            time.sleep(RETRY_S)


class Routing:
    """Keeps ROUTER's table as the Services say."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._routes: dict[str, list[tuple[str, str, str, str, int]]] = {}

    def take(self, items: Sequence[Item]) -> None:
        """ITEMS are all the Services there are."""
        found = defaultdict(list)
        for item in items:
            metadata, spec = item["metadata"], item["spec"]
            annotations = metadata.get("annotations") or {}
            if HOST_ANNOTATION in annotations and PATH_ANNOTATION in annotations and spec.get("clusterIP", "None") != "None":
                where = (annotations[HOST_ANNOTATION].lower(), annotations[PATH_ANNOTATION])
                found[metadata["namespace"]].append((*where, metadata["name"], spec["clusterIP"], spec["ports"][0]["port"]))
        for namespace in self._routes.keys() | found.keys():
            wanted = sorted(found.get(namespace, ()))
            if wanted != self._routes.get(namespace):
                self._router.set_routes(namespace, [self._route(namespace, *each) for each in wanted])
        self._routes = {namespace: sorted(routes) for namespace, routes in found.items()}

    def _route(self, namespace: str, host: str, path: str, service: str, address: str, port: int) -> Route:
        backend: Backend = self._router.backend(namespace, service)
        backend.serve_from([port], Absence.STARTING, address=address)
        return Route(host, path, is_exact=False, backend=backend)


if __name__ == "__main__":
    sys.exit(main())

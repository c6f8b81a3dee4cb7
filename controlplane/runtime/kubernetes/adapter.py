"""The Kubernetes runtime: implements `runtime.port.Runtime` on an API server, each method in a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controlplane.runtime.kubernetes import addresses, watching
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.applying import apply
from controlplane.runtime.kubernetes.logs import logs
from controlplane.runtime.kubernetes.nodes import nodes
from controlplane.runtime.kubernetes.observing import FRESH_S, observe
from controlplane.runtime.kubernetes.ownership import check_ours, marked
from controlplane.runtime.kubernetes.preview import preview
from controlplane.runtime.kubernetes.resources import NAMESPACE
from controlplane.runtime.kubernetes.routing import RoutingChoice, routed
from controlplane.runtime.kubernetes.volumes import close
from controlplane.runtime.port import NO_VOLUMES, Change, Endpoint, Node, Objects, Observation, Secrets, SystemRef, Takes


class KubernetesRuntime:
    """Runs booking systems on the cluster behind API, a namespace each, routed as ROUTING says.

    So long as FRESH_S after an apply, what somebody changed by hand is not looked for in a system that still starts.
    """

    def __init__(self, api: Api, routing: RoutingChoice | None = None, *, fresh_s: float = FRESH_S) -> None:
        self._api = api
        self._routing = routing or RoutingChoice()
        self._fresh_s = fresh_s

    def _sent(self, system: SystemRef, objects: Objects) -> Objects:
        return marked(system, routed(objects, self._routing))

    def preview(self, system: SystemRef, objects: Objects, *, takes: Takes = ()) -> list[Change]:
        return preview(self._api, system, self._sent(system, objects), takes=takes)

    def apply(
        self, system: SystemRef, objects: Objects, secrets: Secrets, *, keeps: Mapping[str, str] = NO_VOLUMES, takes: Takes = ()
    ) -> None:
        sent, mark = self._sent(system, objects), self._routing.mark
        apply(self._api, system, objects, secrets, routed=sent, routing=mark, keeps=keeps, takes=takes)

    def close(self, system: SystemRef, objects: Objects) -> None:
        close(self._api, system, objects)

    def observe(self, system: SystemRef) -> Observation:
        return observe(self._api, system, routing=self._routing.mark, fresh_s=self._fresh_s)

    def delete(self, system: SystemRef) -> None:
        namespace = self._api.get(NAMESPACE, system.namespace)
        if namespace is None:
            return
        check_ours(namespace, system)
        if not namespace["metadata"].get("deletionTimestamp"):
            self._api.delete(NAMESPACE, system.namespace, uid=namespace["metadata"]["uid"])

    def logs(self, system: SystemRef, service: str, lines: int) -> list[str]:
        return logs(self._api, system, service, lines)

    def endpoint(self, system: SystemRef) -> Endpoint:
        return addresses.endpoint(self._api, system, self._routing)

    def nodes(self) -> list[Node]:
        return nodes(self._api)

    def events(self) -> Iterator[SystemRef | None]:
        return watching.events(self._api)

"""What ROUTING=service leaves to somebody else: a proxy before the cluster that leads by the Services' annotations.

Runs on a machine that is a node of the cluster, where the Services' own addresses can be reached.
"""

from __future__ import annotations

import time

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import BY_KIND
from controlplane.runtime.kubernetes.routing import HOST_ANNOTATION, PATH_ANNOTATION
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL
from tests.integration.booking.front import Front

LOOKS_EVERY_S = 0.5


class Edge(Front):
    """Serves every booking system of the cluster behind API at ADDRESS."""

    def __init__(self, api: Api, *, address: str = "127.0.0.1") -> None:
        self.api = api
        self._routes: dict[str, list[tuple[str, str]]] = {}
        self._looked_at = 0.0
        super().__init__(lambda service: None, [], address=address)

    def base_for(self, host: str, path: str) -> str | None:
        """The longest prefix decides, as in an HTTPRoute."""
        name = host.partition(":")[0].lower()
        if time.monotonic() - self._looked_at > LOOKS_EVERY_S:
            self._looked_at = time.monotonic()
            self._routes = self._read()
        whole = path.partition("?")[0] + "/"
        return next((base for prefix, base in self._routes.get(name, ()) if whole.startswith(prefix)), None)

    def _read(self) -> dict[str, list[tuple[str, str]]]:
        routes: dict[str, list[tuple[str, str]]] = {}
        for item in self.api.items(BY_KIND["Service"], selector=f"{MANAGED_LABEL}={MANAGED_BY}"):
            annotations = item["metadata"].get("annotations") or {}
            if HOST_ANNOTATION in annotations and PATH_ANNOTATION in annotations:
                base = f"http://{item['spec']['clusterIP']}:{item['spec']['ports'][0]['port']}"
                routes.setdefault(annotations[HOST_ANNOTATION], []).append((annotations[PATH_ANNOTATION].rstrip("/") + "/", base))
        return {host: sorted(found, key=lambda pair: -len(pair[0])) for host, found in routes.items()}

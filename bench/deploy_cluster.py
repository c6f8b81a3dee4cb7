"""`deploy --kubeconfig FILE`: from the seller's submit to the first ticket sold on a cluster, beside `kubectl apply` of the same objects.

The control plane runs here, booking systems there: MariaDB in the namespace, the pool's images and MariaDB's present on its nodes. This
machine is one of the nodes, for Services are reached at their own addresses and pods reach the payment stand-in here.
"""

from __future__ import annotations

import base64
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from bench.deploy import FirstSale, first_sale
from bench.measure import Row
from controlplane.runtime.kubernetes.resources import NAMESPACE
from tests.integration.runtime_kubernetes.conftest import api_of
from tests.runtime_contract.on_kubernetes import volumes
from tests.stack import running, until

ROUNDS = 5
BOUND_S = 180.0


def run(kubeconfig: Path, kubectl: str) -> list[Row]:
    """ROUNDS of either way, in turn, each alone on the cluster."""
    api = api_of(kubeconfig)
    ours: list[FirstSale] = []
    theirs: list[float] = []
    loads: list[float] = []
    steps: dict[str, list[float]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory(prefix="clove-bench-") as name,
        volumes(api, count=4 * ROUNDS, size="20Gi"),
        running(Path(name) / "home", "--empty", env=environment(kubeconfig)) as stack,
    ):
        session = stack.api()
        control = Kubectl(kubectl, kubeconfig, Path(name))
        for number in range(ROUNDS):

            def look(address: str) -> None:
                """Before it is deleted: what it took, and of what it is made."""
                for step, seconds in _steps(session, address):
                    steps[step].append(seconds)
                control.learn(session, address)

            ours.append(first_sale(stack, session, number, before_it_goes=look))
            until("the namespace is gone", lambda: api.get(NAMESPACE, control.source) is None, timeout_s=BOUND_S)
            loads.append(os.getloadavg()[0])
            theirs.append(control.deploy())
    sold, floor = statistics.median(one.sold_s for one in ours), statistics.median(theirs)
    return [
        Row(f"deploy on a cluster: submit to live, median of {ROUNDS}", statistics.median(one.live_s for one in ours), "s"),
        Row("the same: submit to first ticket sold; floor: kubectl until ready", sold, "s", floor, sold / floor),
        Row("the same: slowest; floor: kubectl's slowest", max(one.sold_s for one in ours), "s", max(theirs)),
        *(Row(f"the same: step {name}, median", statistics.median(seconds), "s") for name, seconds in steps.items()),
        Row("the same: load average of a minute, highest", max(loads), ""),
    ]


def environment(kubeconfig: Path) -> dict[str, str]:
    """Of a control plane here whose booking systems are on the cluster, reached as `up` does it on a node."""
    return {"RUNTIME": "kubernetes", "KUBECONFIG": str(kubeconfig.resolve()), "ROUTING": "service"}


class Kubectl:
    """The objects of a booking system that Clove deployed, once more in another namespace, by kubectl."""

    def __init__(self, program: str, kubeconfig: Path, directory: Path) -> None:
        self._command = [program, f"--kubeconfig={kubeconfig}"]
        self._file = directory / "objects.json"
        self.source = self._namespace = ""

    def learn(self, session: requests.Session, address: str) -> None:
        """Take the manifests of the live revision at ADDRESS, and the Secrets beside them."""
        number = session.get(address, timeout=30).json()["live_revision"]
        manifests = session.get(f"{address}/revisions/{number}", timeout=30).json()["manifests"]
        namespace, *rest = (item for item in manifests if item["kind"] != "HTTPRoute")
        self.source = namespace["metadata"]["name"]
        self._namespace = f"{self.source}-by-kubectl"
        secrets = json.loads(self._run("get", "secrets", "-n", self.source, "-o", "json"))["items"]
        items = [self._moved(item) for item in (namespace, *(_bare(secret) for secret in secrets), *rest)]
        self._file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, ensure_ascii=False))

    def deploy(self) -> float:
        """Seconds from the command until every Deployment is available; all is gone afterwards."""
        started = time.monotonic()
        try:
            self._run("apply", "-f", str(self._file))
            self._run("wait", "deployment", "--all", "-n", self._namespace, "--for=condition=Available", f"--timeout={BOUND_S:.0f}s")
            return time.monotonic() - started
        finally:
            self._run("delete", "namespace", self._namespace, "--wait=true", f"--timeout={BOUND_S:.0f}s")

    def _moved(self, item: dict[str, Any]) -> dict[str, Any]:
        moved: dict[str, Any] = json.loads(self._renamed(json.dumps(item, ensure_ascii=False)))
        for name, text in (moved.get("data") or {}).items() if item["kind"] == "Secret" else ():
            moved["data"][name] = base64.b64encode(self._renamed(base64.b64decode(text).decode()).encode()).decode()
        # Not a system of Clove's: its watcher is to leave it alone.
        moved["metadata"].setdefault("labels", {})["app.kubernetes.io/managed-by"] = "kubectl"
        return moved

    def _renamed(self, text: str) -> str:
        return re.sub(rf"\b{self.source}\b(?!-)", self._namespace, text)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, timeout=2 * BOUND_S, check=False)
        if done.returncode:
            raise RuntimeError(f"kubectl {arguments[0]}: {done.stderr[-1000:]}")
        return done.stdout


def _bare(secret: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in secret["metadata"].items() if key in ("name", "namespace", "labels")}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": secret["type"], "data": secret.get("data") or {}}


def _steps(session: requests.Session, address: str) -> Iterator[tuple[str, float]]:
    """The steps of the first operation, with their seconds."""
    operations = session.get(f"{address}/operations", timeout=30).json()["results"]
    for step in session.get(f"{address}/operations/{operations[-1]['id']}", timeout=30).json()["steps"]:
        if step["ended_at"]:
            began, ended = (datetime.fromisoformat(step[name]) for name in ("started_at", "ended_at"))
            yield step["name"], (ended - began).total_seconds()

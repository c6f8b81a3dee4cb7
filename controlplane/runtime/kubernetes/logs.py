"""The last lines that the replicas of a service wrote, as one."""

from __future__ import annotations

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.ownership import selector
from controlplane.runtime.kubernetes.resources import POD
from controlplane.runtime.port import SystemRef

SERVICE_LABEL = "app.kubernetes.io/name"
_BYTES_A_POD = 1 << 20


def logs(api: Api, system: SystemRef, service: str, lines: int) -> list[str]:
    """Ordered by the time at which the node saw them; without those times."""
    if lines <= 0:
        return []
    stamped: list[tuple[str, str]] = []
    pods = api.items(POD, system.namespace, selector=f"{selector(system)},{SERVICE_LABEL}={service}", metadata_only=True)
    for pod in pods:
        stamped += _stamped(api, system.namespace, pod["metadata"]["name"], lines)
    return [text for _, text in sorted(stamped, key=lambda line: line[0])][-lines:]


def last_words(api: Api, namespace: str, pod: str, container: str, *, lines: int, previous: bool) -> list[str]:
    """The last LINES of one container, or of the run before this one."""
    query = {"container": container, "tailLines": str(lines), "limitBytes": str(_BYTES_A_POD), "previous": "true" if previous else "false"}
    return api.text(f"{POD.path(pod, namespace)}/log", query).splitlines()


def _stamped(api: Api, namespace: str, pod: str, lines: int) -> list[tuple[str, str]]:
    query = {"tailLines": str(lines), "timestamps": "true", "limitBytes": str(_BYTES_A_POD)}
    split = (line.partition(" ") for line in api.text(f"{POD.path(pod, namespace)}/log", query).splitlines())
    return [(stamp, text) for stamp, _, text in split]

"""What the cluster last complained of about a pod: a volume that cannot be mounted, a sandbox that cannot be made, a probe that fails."""

from __future__ import annotations

from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import EVENT

_CHARACTERS = 300


def last_warning(api: Api, namespace: str, pod: str) -> str:
    """The newest Warning event of POD, shortened; an empty text without one. Events are kept for an hour at most."""
    found = api.items(EVENT, namespace, fields=f"involvedObject.kind=Pod,involvedObject.name={pod},type=Warning")
    newest = max(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", default=None)
    return str(newest.get("message") or "").strip()[:_CHARACTERS] if newest else ""

"""Whether a Gateway leads anybody to a system: what it says on its HTTPRoute (Gateway API: Accepted and ResolvedRefs). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from controlplane.runtime.kubernetes.podstate import parse_time
from controlplane.runtime.port import Health

ROUTE = "HTTPRoute"
REFUSED_GRACE_S = 15.0
"""A Gateway may see the route a moment before it sees what the route leads to."""
_NEEDED = ("Accepted", "ResolvedRefs")


def trouble(routes: Sequence[Mapping[str, Any]], now: datetime) -> tuple[Health, str, str] | None:
    """Health, reason and message of a system whose workloads are ready, while a Gateway refuses one of its ROUTES.

    None while no Gateway refuses. One that says nothing at all may be no Gateway: others route by the same object.
    """
    for route in routes:
        for gateway, condition in _refusals(route):
            refused_s = (now - parse_time(condition["lastTransitionTime"])).total_seconds()
            why = condition.get("message") or condition.get("reason") or "it does not say why"
            message = f"The Gateway {gateway} does not lead buyers here: {why}"
            return Health.FAILED if refused_s > REFUSED_GRACE_S else Health.PROGRESSING, condition.get("reason") or "RouteRefused", message
    return None


def _refusals(route: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    generation = route["metadata"].get("generation", 0)
    for parent in (route.get("status") or {}).get("parents") or ():
        for condition in parent.get("conditions") or ():
            is_of_now = condition.get("observedGeneration", generation) >= generation
            if condition["type"] in _NEEDED and condition["status"] == "False" and is_of_now:
                yield (parent.get("parentRef") or {}).get("name", ""), condition

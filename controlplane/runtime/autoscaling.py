"""Whether an autoscaler does anything, as it says itself (autoscaling/v2: ScalingActive and AbleToScale). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

KIND = "HorizontalPodAutoscaler"
GRACE_S = 60.0
"""The figures of pods that have just started come only after that, and an autoscaler says so meanwhile."""
_TOLD = ("AbleToScale", "ScalingActive")
_RESTS = "ScalingDisabled"
"""Its workload is wanted with no copy at all: nothing is wrong."""
_CHARACTERS = 300


def idle(autoscalers: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, str]:
    """Workload -> why nothing scales it, in words for people, of those whose autoscaler has been unable to for GRACE_S."""
    return {item["spec"]["scaleTargetRef"]["name"]: words for item in autoscalers for words in _whys(item, now)}


def _whys(item: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """At most one."""
    conditions = {one["type"]: one for one in (item.get("status") or {}).get("conditions") or ()}
    for name in _TOLD:
        one = conditions.get(name) or {}
        reason = one.get("reason") or name
        if one.get("status") != "False" or reason == _RESTS or _age_s(one, now) <= GRACE_S:
            continue
        is_unmeasured = reason.startswith("FailedGet") and reason.endswith("Metric")
        why = ", for nothing measures what it uses" if is_unmeasured else ""
        detail = str(one.get("message") or "no reason is given").strip()[:_CHARACTERS]
        yield f"It does not scale by itself{why} ({reason}): {detail}"
        return


def _age_s(condition: Mapping[str, Any], now: datetime) -> float:
    since = condition.get("lastTransitionTime")
    return (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0

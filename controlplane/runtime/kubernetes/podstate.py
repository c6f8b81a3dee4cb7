"""Why a pod does not serve, in one stable word and in words for people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controlplane.runtime.health import CRASHES_UNTIL_FAILED

UNSCHEDULABLE_GRACE_S = 15.0
"""A pod that fits nowhere may do so as soon as another one has gone; not any longer than this, though."""

VOLUME_GRACE_S = 90.0
"""Where volumes are made before pods are placed, some storages take half a minute for one."""

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable")
_NOT_FOUND = re.compile(r"not found|does not exist|manifest unknown|NotFound|pull access denied|insufficient_scope", re.IGNORECASE)
_NO_VOLUME = "unbound immediate PersistentVolumeClaims"
"""As the scheduler has it, who says of it that the pod fits nowhere."""
_FATAL = re.compile(r"^Err|Error$|BackOff$|^InvalidImageName$")


@dataclass(frozen=True)
class Trouble:
    """What keeps a pod from serving. `is_final`: waiting does not help. `crashed` is the container whose last lines tell more."""

    reason: str
    message: str
    is_final: bool = False
    crashed: str = ""
    is_between_runs: bool = False
    """The lines are those of the run before: the container is up again."""
    is_mute: bool = False
    """Its own state does not say why; the cluster's events may."""


@dataclass(frozen=True)
class PodState:
    """One pod: `trouble` is None once it serves."""

    name: str
    owner_uid: str
    node: str
    is_ready: bool
    is_leaving: bool
    restarts: int
    trouble: Trouble | None
    is_done: bool = False
    """It ran to its end, and well."""


def read_pod(pod: Mapping[str, Any], now: datetime) -> PodState:
    """The state of POD, at NOW."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    is_ready = _condition(status, "Ready").get("status") == "True"
    return PodState(
        name=metadata["name"],
        owner_uid=next((owner["uid"] for owner in metadata.get("ownerReferences") or () if owner.get("controller")), ""),
        node=pod["spec"].get("nodeName", ""),
        is_ready=is_ready,
        is_leaving=bool(metadata.get("deletionTimestamp")),
        restarts=sum(container.get("restartCount", 0) for container in containers),
        trouble=None if is_ready else _trouble(pod, containers, now),
        is_done=bool(containers) and all(_ended(container).get("exitCode") == 0 for container in containers),
    )


def _ended(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return (container.get("state") or {}).get("terminated") or {}


def _trouble(pod: Mapping[str, Any], containers: list[Mapping[str, Any]], now: datetime) -> Trouble:
    status = pod.get("status") or {}
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") == "False":
        waited_s = (now - parse_time(scheduled.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"])).total_seconds()
        if _NO_VOLUME in scheduled.get("message", ""):
            return Trouble("NoVolume", "Its volume has not been made yet.", is_final=waited_s > VOLUME_GRACE_S, is_mute=True)
        return Trouble("FitsNoNode", _why_unscheduled(scheduled.get("message", "")), is_final=waited_s > UNSCHEDULABLE_GRACE_S)
    if status.get("phase") == "Failed" and status.get("reason"):
        return Trouble(status["reason"], status.get("message") or "The node ended the pod.")
    if status.get("containerStatuses") and all(container.get("ready") for container in status["containerStatuses"]):
        # The kubelet says both in one breath; only for one that fell silent the cluster says the one without the other.
        return Trouble("NodeSilent", f"Its node {pod['spec'].get('nodeName', '')} does not report any more.")
    troubles = [trouble for container in containers for trouble in _of_container(container)]
    final = [trouble for trouble in troubles if trouble.is_final]
    return next(iter(final or troubles), Trouble("Starting", "Starting.", is_mute=True))


def _of_container(container: Mapping[str, Any]) -> Iterator[Trouble]:
    name, state = container["name"], container.get("state") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    last = ended or (container.get("lastState") or {}).get("terminated") or {}
    crashes = container.get("restartCount", 0) + (1 if ended or waiting.get("reason") == "CrashLoopBackOff" else 0)
    reason = waiting.get("reason", "")
    if reason in _PULL:
        yield _image_trouble(container, waiting)
    elif last and last.get("exitCode", 0) != 0 and not container.get("ready"):
        is_final = crashes >= CRASHES_UNTIL_FAILED
        word = "OutOfMemory" if last.get("reason") == "OOMKilled" else "CrashLoopBackOff" if is_final else "Restarting"
        yield Trouble(word, _how_it_ended(name, last), is_final, crashed=name, is_between_runs=not ended)
    elif reason and _FATAL.search(reason) and reason != "CrashLoopBackOff":
        yield Trouble(reason, f"Container {name} cannot be started: {waiting.get('message', reason)}", is_final=True)
    elif "running" in state and not container.get("ready") and container.get("started", True):
        yield Trouble("NotReady", f"Container {name} runs but does not answer its readiness probe.", is_mute=True)


def _image_trouble(container: Mapping[str, Any], waiting: Mapping[str, Any]) -> Trouble:
    image, text = container.get("image", ""), waiting.get("message", "")
    if waiting.get("reason") == "InvalidImageName":
        return Trouble("InvalidImageName", f"{image} is not the name of an image.", is_final=True)
    if _NOT_FOUND.search(text):
        return Trouble("ImageNotFound", f"The image {image} was not found.", is_final=True)
    return Trouble("ImagePullFailed", f"The image {image} cannot be pulled: {text or waiting.get('reason')}", is_final=True)


def _how_it_ended(name: str, last: Mapping[str, Any]) -> str:
    if last.get("reason") == "OOMKilled":
        return f"Container {name} needed more memory than its limit and was ended."
    return f"Container {name} ended with exit code {last.get('exitCode')}."


def _why_unscheduled(message: str) -> str:
    """The scheduler's count of nodes by reason, without what it says about preemption."""
    return f"It fits on no node: {message.split(' preemption:', maxsplit=1)[0].strip() or 'the scheduler gives no reason.'}"


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((condition for condition in status.get("conditions") or () if condition["type"] == kind), {})


def parse_time(text: str) -> datetime:
    """A Kubernetes time stamp."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)

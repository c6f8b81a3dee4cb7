"""Records the steps of an operation as they happen, each write under the lease."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from controlplane.lib.reasons import Reason
from controlplane.runtime.port import Runtime, Workload
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem, Operation, OperationStep

PAUSE = "pause"
"""The step that tells of a hold; it is beside those that the operation goes through, and rollouts.py writes it."""


class Run:
    """One look at one running operation. Its steps are read once: under the lease nobody else writes them."""

    def __init__(self, lease: Lease, operation: Operation, runtime: Runtime) -> None:
        self.lease = lease
        self.operation = operation
        self.runtime = runtime
        self._steps = {step.name: step for step in operation.steps.all()}

    @property
    def system(self) -> BookingSystem:
        return self.lease.system

    def is_done(self, name: str) -> bool:
        return name in self._steps and self._steps[name].state == OperationStep.State.DONE

    def current(self) -> str:
        """Name of the step that goes on, or empty."""
        own = ((name, step) for name, step in reversed(self._steps.items()) if name != PAUSE)
        return next((name for name, step in own if step.state == OperationStep.State.RUNNING), "")

    def progress(self, name: str) -> dict[str, Any]:
        """What the step showed last."""
        return self._steps[name].progress if name in self._steps else {}

    def begin(self, name: str) -> None:
        """Say that the step goes on; again is no matter."""
        if name not in self._steps:
            with self.lease.transaction():
                self.mark_begun(name)

    def done(self, name: str, code: str, *, then: str = "", **params: Any) -> None:
        """Say that the step is done, and that THEN goes on, in one write."""
        with self.lease.transaction():
            self.mark_done(name, code, **params)
            if then:
                self.mark_begun(then)

    def mark_begun(self, name: str) -> None:
        """Within a transaction of the lease."""
        if name not in self._steps:
            self._steps[name] = OperationStep.objects.create(operation=self.operation, name=name)

    def mark_done(self, name: str, code: str, **params: Any) -> None:
        """Within a transaction of the lease."""
        self.mark_begun(name)
        step, reason, now = self._steps[name], Reason(code, params), timezone.now()
        step.state, step.ended_at = OperationStep.State.DONE, now
        step.message_code, step.message, step.message_params = code, reason.message, params
        step.save()
        self._moved(now)

    def say(self, name: str, reason: Reason, *, progress: dict[str, Any] | None = None, has_moved: bool = False) -> None:
        """What the step is waiting for; written only when it is news."""
        step = self._steps.get(name)
        news = {"message_code": reason.code, "message": reason.message, "message_params": dict(reason.params)}
        if progress is not None:
            news["progress"] = progress
        if step is None or all(getattr(step, key) == value for key, value in news.items()):
            return
        with self.lease.transaction():
            for key, value in news.items():
                setattr(step, key, value)
            step.save(update_fields=list(news))
            if has_moved:
                self._moved(timezone.now())

    def progressed(self) -> None:
        """Within a transaction of the lease: something went on that no step's words tell."""
        self._moved(timezone.now())

    def _moved(self, now: datetime) -> None:
        self.operation.progress_at = now
        self.operation.save(update_fields=["progress_at"])
        if self.system.attempts:
            self.lease.write(attempts=0)


def no_reason() -> dict[str, Any]:
    """The columns of a reason when there is none."""
    return {"reason_code": "", "reason": "", "reason_params": {}}


def columns_of(reason: Reason) -> dict[str, Any]:
    """The columns that REASON is kept in."""
    return {"reason_code": reason.code, "reason": reason.message, "reason_params": dict(reason.params)}


def end(run: Run, state: Operation.State, reason: Reason | None = None) -> None:
    """Close the operation, within a transaction of the lease; the step that goes on fails with it, for the same REASON."""
    now = timezone.now()
    operation = run.operation
    operation.state, operation.ended_at = state, now
    if reason:
        for name, value in columns_of(reason).items():
            setattr(operation, name, value)
        operation.steps.filter(state=OperationStep.State.RUNNING).update(
            state=OperationStep.State.FAILED,
            ended_at=now,
            message_code=reason.code,
            message=reason.message,
            message_params=dict(reason.params),
        )
    operation.save()


def workload_json(workload: Workload) -> dict[str, Any]:
    """WORKLOAD as pages draw it."""
    return {
        "name": workload.name,
        "health": workload.health.value,
        "ready": workload.ready,
        "updated": workload.updated,
        "wanted": workload.wanted,
        "reason": workload.reason,
        "message": workload.message,
        "nodes": list(workload.nodes),
        "idle_autoscaler": workload.idle_autoscaler,
    }

"""Records the steps of an operation as they happen, each write under the lease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from controlplane.lib.reasons import Reason
from controlplane.runtime.port import Runtime
from controlplane.systems.lease import Lease
from controlplane.systems.models import BookingSystem, Operation, OperationStep


@dataclass
class Run:
    """One look at one running operation."""

    lease: Lease
    operation: Operation
    runtime: Runtime

    @property
    def system(self) -> BookingSystem:
        return self.lease.system

    def is_done(self, name: str) -> bool:
        return self.operation.steps.filter(name=name, state=OperationStep.State.DONE).exists()

    def begin(self, name: str) -> None:
        """Say that the step goes on; again is no matter."""
        with self.lease.transaction():
            self._begin(name)

    def done(self, name: str, code: str, *, then: str = "", **params: Any) -> None:
        """Say that the step is done, and that THEN goes on, in one write."""
        with self.lease.transaction():
            self.mark_done(name, code, **params)
            if then:
                self._begin(then)

    def mark_done(self, name: str, code: str, **params: Any) -> None:
        """The same within a transaction of the lease."""
        reason, now = Reason(code, params), timezone.now()
        step, _ = OperationStep.objects.get_or_create(operation=self.operation, name=name)
        step.state, step.ended_at = OperationStep.State.DONE, now
        step.message_code, step.message, step.message_params = code, reason.message, params
        step.save()
        self._moved()

    def say(self, name: str, reason: Reason, *, progress: dict[str, Any] | None = None, has_moved: bool = False) -> None:
        """What the step is waiting for; written only when it is news."""
        step = self.operation.steps.filter(name=name).first()
        news = {"message_code": reason.code, "message": reason.message, "message_params": dict(reason.params)}
        if progress is not None:
            news["progress"] = progress
        if step is None or all(getattr(step, key) == value for key, value in news.items()):
            return
        with self.lease.transaction():
            OperationStep.objects.filter(pk=step.pk, state=OperationStep.State.RUNNING).update(**news)
            if has_moved:
                self._moved()

    def current(self) -> str:
        """Name of the step that goes on, or empty."""
        return self.operation.steps.filter(state=OperationStep.State.RUNNING).values_list("name", flat=True).last() or ""

    def _begin(self, name: str) -> None:
        OperationStep.objects.get_or_create(operation=self.operation, name=name)

    def _moved(self) -> None:
        self.operation.progress_at = timezone.now()
        Operation.objects.filter(pk=self.operation.pk).update(progress_at=self.operation.progress_at)
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

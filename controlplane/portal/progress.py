"""What a booking system is doing, as its page shows it: done steps, the running one, and those still to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from controlplane.portal import words
from controlplane.portal.speech import say_stored
from controlplane.systems import selectors
from controlplane.systems.models import BookingSystem, Operation, OperationStep, State


@dataclass(frozen=True)
class StepLine:
    """One line of the list; `state` is waiting, running, done or failed."""

    name: str
    state: str
    step: OperationStep | None = None

    @property
    def seconds(self) -> str:
        """How long it took; empty until it ended."""
        if not self.step or not self.step.ended_at:
            return ""
        return f"{max((self.step.ended_at - self.step.started_at).total_seconds(), 0):.1f}"

    @property
    def elapsed(self) -> str:
        """How long it runs already."""
        if not self.step or self.state != "running":
            return ""
        return f"{max((timezone.now() - self.step.started_at).total_seconds(), 0):.1f}"

    @property
    def workloads(self) -> list[dict[str, Any]]:
        return list((self.step.progress or {}).get("workloads", [])) if self.step else []


@dataclass(frozen=True)
class Progress:
    """`operation` is the newest one, None before the first."""

    operation: Operation | None
    lines: list[StepLine] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        return bool(self.operation and self.operation.is_running)

    @property
    def elapsed(self) -> str:
        """How long the whole operation runs already."""
        return f"{max((timezone.now() - self.operation.started_at).total_seconds(), 0):.1f}" if self.operation else ""

    @property
    def running_line(self) -> StepLine | None:
        return next((line for line in self.lines if line.state == "running"), None)

    @property
    def failed_line(self) -> StepLine | None:
        return next((line for line in self.lines if line.state == "failed"), None)

    @property
    def workloads(self) -> list[dict[str, Any]]:
        """The services as the newest step that knows them saw them."""
        return next((line.workloads for line in reversed(self.lines) if line.workloads), [])

    @property
    def seconds(self) -> str:
        """How long the whole operation took; empty while it runs."""
        if not self.operation or not self.operation.ended_at:
            return ""
        return f"{max((self.operation.ended_at - self.operation.started_at).total_seconds(), 0):.1f}"


def progress_of(system: BookingSystem) -> Progress:
    """The newest operation of SYSTEM with all its steps; an edit while live has none, and is left out."""
    operation = selectors.operations_of(system).exclude(kind=Operation.Kind.EDIT).first()
    return Progress(operation, lines_of(operation)) if operation else Progress(None)


def lines_of(operation: Operation) -> list[StepLine]:
    """The steps of OPERATION: those recorded, then those to come while it runs."""
    steps = {step.name: step for step in selectors.operation_steps(operation)}
    names = [*steps]
    if operation.is_running:
        names += [name for name in selectors.STEPS.get(operation.kind, ()) if name not in steps]
    return [StepLine(name, steps[name].state if name in steps else "waiting", steps.get(name)) for name in names]


def announcement(system: BookingSystem, progress: Progress) -> str:
    """One sentence for a screen reader, which changes only when something happened."""
    operation, running = progress.operation, progress.running_line
    if system.state == State.DATA_GONE and not (operation and operation.is_running):
        return say_stored(system)
    if operation and operation.is_paused:
        return gettext("Held")
    if operation and operation.is_running:
        return str(words.STEPS.get(running.name, running.name)) if running else gettext("Waiting to begin")
    if operation and operation.state == Operation.State.FAILED:
        return gettext("It did not work: %(reason)s") % {"reason": say_stored(operation)}
    if system.is_live:
        return gettext("%(title)s is open for buyers.") % {"title": system.title}
    return ""

"""The next step of a rolling update, as a Deployment's controller takes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Replica(Protocol):
    """What the step depends on. `has_served`: it was ready once."""

    @property
    def is_ready(self) -> bool: ...

    @property
    def has_served(self) -> bool: ...


R = TypeVar("R", bound=Replica)


@dataclass(frozen=True)
class Step(Generic[R]):
    create: int
    stop: tuple[R, ...]


def next_step(*, wanted: int, surge: int, unavailable: int, recreate: bool, new: Sequence[R], old: Sequence[R], leaving: int) -> Step[R]:
    """How many replicas of the new revision to create and which replicas to stop, so that nobody notices.

    NEW are those of the wanted revision and OLD those of others, oldest first; the LEAVING ones have been told to stop and count as
    neither. Replicas that served stay until as many new ones as are wanted, less UNAVAILABLE, are ready; old ones that never served go
    at once. Taking the step and asking again ends with WANTED new ones, once they become ready.
    """
    excess = len(new) - wanted
    stop = sorted(new, key=lambda replica: (replica.is_ready, -new.index(replica)))[:excess] if excess > 0 else []
    if recreate and old:
        return Step(0, (*stop, *old))
    if recreate and leaving:
        return Step(0, tuple(stop))
    create = max(0, min(wanted - len(new), wanted + surge - len(new) - len(old)))
    served = [replica for replica in old if replica.has_served]
    stop += [replica for replica in old if not replica.has_served]
    ready_new = sum(replica.is_ready for replica in new if replica not in stop)
    spare = ready_new + len(served) - max(0, wanted - unavailable)
    if spare > 0:
        stop += sorted(served, key=lambda replica: replica.is_ready)[:spare]
    return Step(create, tuple(stop))


def next_step_held(*, wanted: int, new: Sequence[R], old: Sequence[R]) -> tuple[int, tuple[R, ...]]:
    """How many replicas like the newest one there is to create, and which to stop, while the rollout is held.

    As a paused Deployment's controller has it: the number is kept where all are of one revision; where both run, everything stays.
    """
    if bool(new) == bool(old):
        return 0, ()
    replicas = list(new or old)
    excess = len(replicas) - wanted
    stop = sorted(replicas, key=lambda replica: (replica.is_ready, -replicas.index(replica)))[:excess] if excess > 0 else []
    return max(0, -excess), tuple(stop)

"""What the services and selectors of booking systems raise.

SystemsError
├── SystemNotFound        no such system, or another seller's: a 404 either way
├── RequirementInvalid    `.problems`, each with a path, a code and words
├── Refused               not now, and nothing was changed; `.reason` says why
│   ├── GenerationConflict   somebody else changed the system meanwhile
│   └── DeletionRefused      tickets or payments stand, or the name typed is another
└── ServiceUnavailable    a service of the booking system does not answer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from controlplane.lib.reasons import Problem, Reason


class SystemsError(Exception):
    pass


class SystemNotFound(SystemsError):
    pass


class RequirementInvalid(SystemsError):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" if problem.path else problem.message for problem in problems))
        self.problems = list(problems)


class Refused(SystemsError):
    def __init__(self, code: str, **params: Any) -> None:
        self.reason = Reason(code, params)
        super().__init__(self.reason.message)


class GenerationConflict(Refused):
    pass


class DeletionRefused(Refused):
    pass


class ServiceUnavailable(SystemsError):
    pass

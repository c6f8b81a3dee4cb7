"""What the services and selectors of booking systems raise.

SystemsError
├── SystemNotFound        no such system, or another's: a 404 either way
├── NotAllowed            one's part in the event is too small for it; `.reason` says what it takes
├── InvitationOver        a link that invites nobody (any more)
├── RequirementInvalid    `.problems`, each with a path, a code and words
├── Refused               not now, and nothing was changed; `.reason` says why
│   ├── GenerationConflict   somebody else changed the system meanwhile
│   ├── PictureRefused       what was uploaded is no picture, or too large, or there are very many
│   └── DeletionRefused      tickets or payments stand, or the name typed is another
├── ServiceRefused        a service of the booking system says no; `.detail` says why, `.errors` by field
└── ServiceUnavailable    a service of the booking system does not answer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.lib.reasons import Problem, Reason


class SystemsError(Exception):
    pass


class SystemNotFound(SystemsError):
    pass


class NotAllowed(SystemsError):
    def __init__(self, code: str) -> None:
        self.reason = Reason(code)
        super().__init__(self.reason.message)


class InvitationOver(SystemsError):
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


class PictureRefused(Refused):
    pass


class DeletionRefused(Refused):
    pass


class ServiceRefused(SystemsError):
    """STATUS, CODE and words are the service's own, in the language it was asked in."""

    def __init__(self, status: int, code: str, detail: str, errors: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = dict(errors or {})


class ServiceUnavailable(SystemsError):
    pass

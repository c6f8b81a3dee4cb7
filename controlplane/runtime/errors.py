"""What can go wrong at a runtime, mapped once by each adapter from its own exceptions.

RuntimeFailure
├── Passing                 try again later: the same call may succeed
│   ├── RuntimeUnavailable  nobody answers, or the answer is 429 or 5xx
│   └── RuntimeBusy         something must end first (a namespace that is still being deleted)
└── Permanent               the same call fails again until somebody changes something
    ├── Rejected            the runtime refused an object: unknown field, immutable field, invalid value
    ├── Forbidden           the control plane may not do this
    ├── QuotaFull           a quota has no room
    ├── DataGone            a volume that was to be kept is not there, or is another; nothing was applied
    ├── OwnedByAnother      fields or a namespace that someone else owns; `owner` names them
    └── Unsupported         this runtime cannot do that at all (a missing CRD, an unknown kind)
"""

from __future__ import annotations


class RuntimeFailure(Exception):
    """Base of all; `reason` is for people, without secrets, in English; `code` is stable."""

    code = "runtime_failure"
    is_passing = False
    retry_after_s = 0.0
    """Not sooner than that is it to be asked again; 0 when nobody says."""

    def __init__(self, reason: str, *, object_name: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.object_name = object_name


class Passing(RuntimeFailure):
    is_passing = True


class RuntimeUnavailable(Passing):
    code = "runtime_unavailable"

    def __init__(self, reason: str, *, object_name: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(reason, object_name=object_name)
        self.retry_after_s = retry_after_s


class RuntimeBusy(Passing):
    code = "runtime_busy"


class Permanent(RuntimeFailure):
    pass


class Rejected(Permanent):
    code = "rejected"


class Forbidden(Permanent):
    code = "forbidden"


class QuotaFull(Permanent):
    code = "quota_full"


class DataGone(Permanent):
    code = "data_not_there"


class OwnedByAnother(Permanent):
    code = "owned_by_another"

    def __init__(self, reason: str, *, owner: str, object_name: str = "") -> None:
        super().__init__(reason, object_name=object_name)
        self.owner = owner


class Unsupported(Permanent):
    code = "unsupported"

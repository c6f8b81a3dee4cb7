"""The API server's refusals as the runtime's errors, mapped once.

| answer | error |
|---|---|
| 401; 403 | Forbidden; but QuotaFull, Rejected (Pod Security, limits) or RuntimeBusy (namespace ending) when it says so |
| 404 | RuntimeBusy for a namespace that is not there, Unsupported for a kind |
| 409 | OwnedByAnother with the manager's name; RuntimeBusy for any other conflict |
| 400, 405, 413, 415, 422 | Rejected |
| 500 "field not declared in schema" | Rejected: it is permanent, whatever the number says |
| 429, other 5xx | RuntimeUnavailable, with its `Retry-After` |
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from controlplane.runtime.errors import (
    Forbidden,
    OwnedByAnother,
    QuotaFull,
    Rejected,
    RuntimeBusy,
    RuntimeFailure,
    RuntimeUnavailable,
    Unsupported,
)

_OWNER = re.compile(r'conflicts? with "([^"]+)"')
_WARNING = re.compile(r'^\d{3} \S+ "((?:[^"\\]|\\.)*)"')
_MESSAGE_CHARACTERS = 1000
LONGEST_RETRY_AFTER_S = 30.0
"""Nobody is put off for longer, whatever the server (or what stands before it) says: an operation without progress fails after minutes."""


@dataclass(frozen=True)
class Answer:
    """Status, body and `Warning` and `Retry-After` headers of one answer."""

    status: int
    body: bytes
    raw_warnings: tuple[str, ...] = ()
    raw_retry_after: str = ""

    def json(self) -> Any:
        return json.loads(self.body)

    def document(self, *needed: str) -> dict[str, Any]:
        """The JSON object that an API server answers, with the fields NEEDED. Raises RuntimeUnavailable for anything else."""
        try:
            found = self.json()
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(name in found for name in needed):
            # A load balancer's page for maintenance comes with a 200, too.
            raise RuntimeUnavailable(f"Something other than the cluster's API server answered {self.status} in its place.")
        return found

    @property
    def warnings(self) -> tuple[str, ...]:
        """The texts of the warnings (RFC 7234 5.5), without code and agent."""
        found = (_WARNING.match(line) for line in self.raw_warnings)
        return tuple(match[1].replace('\\"', '"') for match in found if match)

    @property
    def retry_after_s(self) -> float:
        """Seconds (RFC 9110 10.2.3), bounded; 0 when it says none."""
        said = self.raw_retry_after.strip()
        try:
            seconds = float(said) if said.isdecimal() else (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return 0.0
        return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def failure(answer: Answer, name: str = "") -> RuntimeFailure:
    """The error that ANSWER, to a request about NAME (`Deployment seat`), stands for."""
    status = _status_of(answer)
    message = _shown(status, name)
    words = f"{name}: {message}" if name and not message.startswith(name) else message
    code = answer.status
    if code == 401:
        return Forbidden("The cluster does not accept Clove's credentials: they are wrong or have expired.", object_name=name)
    if code == 403:
        return _forbidden(status, words, name)
    if code == 404:
        if status.get("details", {}).get("kind") == "namespaces":
            return RuntimeBusy(words, object_name=name)
        return Unsupported(f"{name or 'The kind'}: the cluster does not know it ({message}).", object_name=name)
    if code == 409:
        return _conflict(status, words, name)
    if code in (400, 405, 406, 413, 415, 422) or (code == 500 and "field not declared in schema" in message):
        return Rejected(words, object_name=name)
    words = f"The cluster's API server answered {code}: {message}"
    return RuntimeUnavailable(words, object_name=name, retry_after_s=answer.retry_after_s)


def _forbidden(status: dict[str, Any], words: str, name: str) -> RuntimeFailure:
    if "exceeded quota" in words:
        return QuotaFull(words, object_name=name)
    if any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(status)):
        return RuntimeBusy(words, object_name=name)
    # Admission says why it refuses this object; authorisation only ever says "cannot VERB resource".
    if "violates PodSecurity" in words or " cannot " not in words:
        return Rejected(words, object_name=name)
    return Forbidden(words, object_name=name)


def _conflict(status: dict[str, Any], words: str, name: str) -> RuntimeFailure:
    owners, fields = [], []
    for cause in _causes(status):
        if cause.get("reason") == "FieldManagerConflict":
            owners += _OWNER.findall(cause.get("message", ""))
            fields.append(cause.get("field", ""))
    if not owners:
        return RuntimeBusy(words, object_name=name)
    owner = ", ".join(dict.fromkeys(owners))
    return OwnedByAnother(f"{name}: {', '.join(sorted(set(fields)))} is managed by {owner}.", owner=owner, object_name=name)


def _status_of(answer: Answer) -> dict[str, Any]:
    try:
        status = answer.json()
    except ValueError:
        status = None
    # A proxy between here and the API server answers in a form of its own.
    return status if isinstance(status, dict) else {"message": answer.body[:200].decode(errors="replace")}


def _shown(status: dict[str, Any], name: str) -> str:
    """The server's message, but never one that may quote what is in a Secret."""
    if name.startswith("Secret "):
        fields = ", ".join(sorted({cause.get("field", "") for cause in _causes(status)} - {""}))
        return f"refused ({status.get('reason') or 'no reason given'}{': ' + fields if fields else ''})."
    return str(status.get("message") or status.get("reason") or "no reason given").strip()[:_MESSAGE_CHARACTERS]


def _causes(status: dict[str, Any]) -> list[dict[str, Any]]:
    return (status.get("details") or {}).get("causes") or []

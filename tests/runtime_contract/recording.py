"""Recordings of a real API server: what doubles of it are held to. `python -m tests.runtime_contract.record` makes them anew.

| file | what |
|---|---|
| recordings/answers.json | the server's own answers, as far as Clove reads them, and what the Kubernetes runtime makes of each |
| recordings/port.json | what the Kubernetes runtime on that server answers to the port's calls, in the cases that are hard to get right |

Nothing in them changes from one run to the next: no uids, times or versions of objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import OwnedByAnother, RuntimeFailure

HOME = Path(__file__).with_name("recordings")
AGAIN = "record anew with: KUBEBUILDER_ASSETS=… python -m tests.runtime_contract.record"
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRIAL = re.compile(r"\(clove-(?:preview|\d+)/")
_VERSION = re.compile(r"(?<=resource version: 1 )\(\d+\)")
_SECONDS = re.compile(r"\b\d+(?:\.\d+)? s\b")


def read(name: str) -> dict[str, Any]:
    """The cases of recordings/NAME.json."""
    cases: dict[str, Any] = json.loads((HOME / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    return cases


def write(name: str, *, server: str, cases: Mapping[str, Any]) -> Path:
    """recordings/NAME.json, as the API server of version SERVER gave CASES."""
    path = HOME / f"{name}.json"
    path.write_text(json.dumps({"server": server, "cases": steady(cases)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def steady(value: Any) -> Any:
    """VALUE as JSON has it, without what differs from run to run."""
    if isinstance(value, Mapping):
        return {str(key): steady(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [steady(inner) for inner in value]
    if isinstance(value, str):
        # A new system's objects are tried in a namespace of their own.
        for pattern, word in ((_UID, "UID"), (_SECONDS, "N s"), (_VERSION, "(N)"), (_TRIAL, "(NAMESPACE/")):
            value = pattern.sub(word, value)
        return value
    return value


def outcome(call: Callable[[], Any]) -> Any:
    """What CALL returns, or the port's error that it raises, as JSON."""
    try:
        return call()
    except RuntimeFailure as error:
        return told(error)


def told(error: RuntimeFailure) -> dict[str, Any]:
    """ERROR as its callers know it."""
    owner = {"owner": error.owner} if isinstance(error, OwnedByAnother) else {}
    return {
        "error": type(error).__name__,
        "code": error.code,
        "is_passing": error.is_passing,
        "object": error.object_name,
        **owner,
        "reason": error.reason,
    }

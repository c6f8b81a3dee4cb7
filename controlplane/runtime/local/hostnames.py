"""Which system has which host name: a file a name, so that two systems can never answer to one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from controlplane.runtime import objects
from controlplane.runtime.errors import OwnedByAnother
from controlplane.runtime.local.layout import NAMESPACE, Home, read_json, write_atomic


def check(home: Home, namespace: str, names: Iterable[str]) -> None:
    """Raises OwnedByAnother when another namespace has one of NAMES."""
    for name in names:
        owner = _owner(home, name)
        if owner and owner != namespace:
            raise OwnedByAnother(f"The host name {name} belongs to {owner}.", owner=owner, object_name=name)


def claim(home: Home, namespace: str, names: Iterable[str]) -> None:
    """Give NAMES to NAMESPACE; the adapters' lock must be held. Raises OwnedByAnother."""
    names = list(names)
    check(home, namespace, names)
    for name in names:
        if _owner(home, name) != namespace:
            write_atomic(home.hostnames / name, namespace.encode())


def release(home: Home, namespace: str, names: Iterable[str]) -> None:
    """Give up those of NAMES that NAMESPACE has."""
    for name in names:
        path = home.hostnames / name
        with contextlib.suppress(FileNotFoundError):
            if path.read_text() == namespace:
                os.unlink(path)


def _owner(home: Home, name: str) -> str:
    """Who has NAME, empty for nobody: a claim that its system no longer stands by, left by a process that died, counts for nothing."""
    try:
        owner = (home.hostnames / name).read_text()
    except FileNotFoundError:
        return ""
    if not NAMESPACE.fullmatch(owner):  # of a claim that a power cut left empty
        return ""
    files = home.system(owner)
    if files.deletion.exists():
        return owner
    wanted = read_json(files.desired) or {}
    return owner if name in objects.hostnames(wanted.get("objects", ())) else ""
